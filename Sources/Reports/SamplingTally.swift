import Diffusion

/// What samples cost and how their drafts fared: the account that a report is made from. Accounts of parts of a job add
/// up to that of the whole, whichever samples were finished first: all sums are of integers.
package struct SamplingTally: Equatable, Sendable {
    package struct Sample: Equatable, Sendable {
        package let cost: SamplingCost
        /// Of what was written of the sample, see `Fingerprint`.
        package let fingerprint: UInt64

        package init(cost: SamplingCost, fingerprint: UInt64) { (self.cost, self.fingerprint) = (cost, fingerprint) }
    }

    package struct Step: Equatable, Sendable {
        /// Drafts of this step that came to be decided.
        package var drafted = 0
        package var accepted = 0
        /// Sum of their predicted acceptances, in units of `acceptanceUnit`.
        package var predictedAcceptance = 0

        package init(drafted: Int = 0, accepted: Int = 0, predictedAcceptance: Int = 0) {
            (self.drafted, self.accepted, self.predictedAcceptance) = (drafted, accepted, predictedAcceptance)
        }
    }

    /// Small enough to change no digit that is shown, large enough for ten million samples.
    private static let acceptanceUnit = 0x1p-30

    package private(set) var samples: [Int: Sample] = [:]
    package private(set) var steps: [Step]
    /// Network calls made, those of samples that were not finished among them.
    package var calls = 0
    package var seconds = 0.0

    package init(stepCount: Int) { steps = [Step](repeating: Step(), count: stepCount) }

    /// For one read from a file.
    package init(samples: [Int: Sample], steps: [Step], calls: Int, seconds: Double) {
        self.samples = samples
        self.steps = steps
        self.calls = calls
        self.seconds = seconds
    }

    /// Whether acceptances of so many drafts can have such a sum.
    package static func canPredict(_ sum: Int, of drafted: Int) -> Bool {
        drafted <= 10_000_000 && (0...drafted << 30).contains(sum)
    }

    /// A sample that was made again, because its file was lost, is counted once.
    package mutating func add(_ finished: FinishedSample, fingerprint: UInt64) {
        let isNew = samples[finished.sample] == nil
        samples[finished.sample] = Sample(cost: finished.cost, fingerprint: fingerprint)
        for decision in finished.decisions where isNew {
            steps[decision.step].drafted += 1
            steps[decision.step].accepted += decision.isAccepted ? 1 : 0
            steps[decision.step].predictedAcceptance += Int((decision.acceptance / Self.acceptanceUnit).rounded())
        }
    }

    /// Adds the account of other samples of the same job, made at another time or place. Seconds are left alone.
    package mutating func add(_ other: SamplingTally) {
        samples.merge(other.samples) { mine, _ in mine }
        for k in steps.indices {
            steps[k].drafted += other.steps[k].drafted
            steps[k].accepted += other.steps[k].accepted
            steps[k].predictedAcceptance += other.steps[k].predictedAcceptance
        }
        calls += other.calls
    }

    package var costs: [SamplingCost] { samples.sorted { $0.key < $1.key }.map(\.value.cost) }
    package var nfe: CountSummary { .init(samples.values.map(\.cost.calls)) }
    package var windows: CountSummary { .init(samples.values.map(\.cost.windows)) }
    package var evaluations: CountSummary { .init(samples.values.map(\.cost.evaluations)) }
    /// Accepted of decided drafts; 0 where nothing was drafted.
    package var acceptance: Double { samples.values.map(\.cost).acceptance }
    /// Steps that were taken without a draft because drafting would not have paid.
    package var plainSteps: Int { samples.values.reduce(0) { $0 + $1.cost.plainSteps } }
    /// States that the rule drew from the target upon rejections.
    package var extraDraws: Int { samples.values.reduce(0) { $0 + $1.cost.extraDraws } }
    /// Mean over decided drafts of the acceptance that their distance predicts.
    package var predictedAcceptance: Double {
        let drafted = steps.reduce(0) { $0 + $1.drafted }
        let sum = steps.reduce(0) { $0 + Double($1.predictedAcceptance) * Self.acceptanceUnit }
        return drafted > 0 ? sum / Double(drafted) : 0
    }

    package var reportedSteps: [Report.Step] {
        steps.enumerated().map { k, step in
            Report.Step(
                step: k, drafted: step.drafted, accepted: step.accepted,
                predicted_acceptance: Self.mean(step.predictedAcceptance, of: step.drafted))
        }
    }

    private static func mean(_ sum: Int, of count: Int) -> Double {
        count > 0 ? Double(sum) * acceptanceUnit / Double(count) : 0
    }
}
