import Couplings

/// What one step of a sampler did, for reports.
public struct StepInfo: Sendable {
    /// A drafted step that was decided.
    public struct Decision: Sendable {
        public let sample: Int
        /// `k`
        public let step: Int
        public let isAccepted: Bool
        /// `‖Δ_k‖`
        public let distance: Double
        /// The probability with which the rule accepts at this `Δ`; `2Φ(-‖Δ‖/2)` for a maximal coupling.
        public let acceptance: Double

        init(sample: Int, step: Int, verdict: Verdict) {
            self.sample = sample
            self.step = step
            isAccepted = verdict.isAccepted
            distance = verdict.distance
            acceptance = verdict.acceptance
        }
    }

    /// Target calls made.
    public internal(set) var calls = 0
    /// Rows of those calls, over all samples.
    public internal(set) var rows = 0
    /// Steps drafted, whether they came to be decided or not.
    public internal(set) var drafted = 0
    public internal(set) var decisions: [Decision] = []
    /// Every state that was decided, each sample's in order: what chains are observed by that are of interest all along.
    public internal(set) var visits: [Visit] = []

    /// The windows that were scored, and what the target answered: all that a draft had to guess, and from what.
    public internal(set) var scored: [ScoredWindow] = []

    /// A window as it was drafted, with what was known of the target then.
    public struct ScoredWindow: Sendable {
        public let window: DraftWindow
        /// The target's predictions at the window's states; those known already are not among them.
        public let answers: [(step: Int, prediction: [Double])]
    }

    /// A state `Y_n` of a sample's path.
    public struct Visit: Sendable {
        public let sample: Int
        /// `n`, the number of steps taken to it.
        public let step: Int
        public let state: [Double]

        init(_ sample: SampleState) {
            (self.sample, step, state) = (sample.sample, sample.step, sample.state)
        }
    }
}
