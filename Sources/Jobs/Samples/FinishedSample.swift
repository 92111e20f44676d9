import Diffusion

/// A sample at its end, with all that a report tells of it.
struct FinishedSample: Sendable {
    struct Decision: Sendable {
        let step: Int
        let isAccepted: Bool
        /// The acceptance that the draft's distance predicts.
        let acceptance: Double
    }

    let sample: Int
    let cost: SamplingCost
    let decisions: [Decision]
    let state: [Double]
}

extension Sampler {
    /// Runs samples to their end and hands each over with its own decisions, so that what came of samples that were
    /// under way when a program was killed is in no account.
    /// - Parameters:
    ///   - onRound: called after every round, with the samples under way.
    ///   - onFinished: called once per sample, in the order in which they finish.
    func finish(
        samples: some Collection<Int>, lanes: Int, onRound: (StepInfo, [SampleState]) throws -> Void,
        onFinished: (FinishedSample) throws -> Void
    ) throws {
        var decisions: [Int: [FinishedSample.Decision]] = [:]
        try run(samples: samples, lanes: lanes) { info, active in
            for decision in info.decisions {
                decisions[decision.sample, default: []].append(
                    .init(step: decision.step, isAccepted: decision.isAccepted, acceptance: decision.acceptance))
            }
            try onRound(info, active)
        } onFinished: { state in
            try onFinished(
                FinishedSample(
                    sample: state.sample, cost: state.cost,
                    decisions: decisions.removeValue(forKey: state.sample) ?? [], state: state.state))
        }
    }
}
