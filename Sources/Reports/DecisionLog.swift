import Diffusion

/// What was decided of the drafts of samples that are under way.
package struct DecisionLog: Sendable {
    private var decisions: [Int: [FinishedSample.Decision]] = [:]

    package init() {}

    /// Takes in a round's decisions.
    package mutating func note(_ info: StepInfo) {
        for decision in info.decisions {
            decisions[decision.sample, default: []].append(
                .init(step: decision.step, isAccepted: decision.isAccepted, acceptance: decision.acceptance))
        }
    }

    /// A sample at its end, with its own decisions, which are kept no longer.
    package mutating func finish(_ state: SampleState) -> FinishedSample {
        FinishedSample(
            sample: state.sample, cost: state.cost, decisions: decisions.removeValue(forKey: state.sample) ?? [],
            state: state.state)
    }
}
