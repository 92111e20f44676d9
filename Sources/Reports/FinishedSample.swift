import Diffusion

/// A sample at its end, with all that a report tells of it.
package struct FinishedSample: Sendable {
    package struct Decision: Sendable, Equatable {
        package let step: Int
        package let isAccepted: Bool
        /// The acceptance that the draft's distance predicts.
        package let acceptance: Double

        package init(step: Int, isAccepted: Bool, acceptance: Double) {
            (self.step, self.isAccepted, self.acceptance) = (step, isAccepted, acceptance)
        }
    }

    package let sample: Int
    package let cost: SamplingCost
    package let decisions: [Decision]
    package let state: [Double]

    package init(sample: Int, cost: SamplingCost, decisions: [Decision], state: [Double]) {
        (self.sample, self.cost, self.decisions, self.state) = (sample, cost, decisions, state)
    }
}

extension Sampler {
    /// Runs samples to their end and hands each over with its own decisions, so that what came of samples that were
    /// under way when a program was killed is in no account.
    /// - Parameters:
    ///   - onRound: called after every round, with the samples under way.
    ///   - onFinished: called once per sample, in the order in which they finish.
    package func finish(
        samples: some Collection<Int>, lanes: Int, onRound: (StepInfo, [SampleState]) throws -> Void,
        onFinished: (FinishedSample) throws -> Void
    ) throws {
        var log = DecisionLog()
        try run(samples: samples, lanes: lanes) { info, active in
            log.note(info)
            try onRound(info, active)
        } onFinished: { state in
            try onFinished(log.finish(state))
        }
    }
}
