import Couplings

/// One sample on its way: all that the next step of a sampler needs, and what it has cost so far.
public struct SampleState: Sendable {
    /// Index of the sample, which keys its noise and its condition.
    public let sample: Int
    /// `n`, the number of steps decided.
    public internal(set) var step = 0
    /// `Y_n`
    public internal(set) var state: [Double]
    public internal(set) var memory = EvaluationMemory()
    var pinnedNoise = PinnedNoise()
    public internal(set) var cost = SamplingCost()
    /// What the choice of its next window may depend on.
    public internal(set) var decided = DecidedSteps()

    init(sample: Int, state: [Double]) {
        self.sample = sample
        self.state = state
    }
}

/// What a sample has cost, and how its drafts fared.
public struct SamplingCost: Sendable, Equatable {
    /// Target calls it took part in, whatever their batch: the NFE of DB25 §7.
    public internal(set) var calls = 0
    /// Rows of those calls that were its own.
    public internal(set) var evaluations = 0
    /// Decided drafts that were accepted.
    public internal(set) var accepted = 0
    /// Decided drafts that were rejected.
    public internal(set) var rejected = 0
    /// Steps taken without a draft, because the window policy asked for none.
    public internal(set) var plainSteps = 0
    /// States drawn from the target upon rejections, where the rule needs any.
    public internal(set) var extraDraws = 0

    public init() {}

    /// A cost that was found elsewhere, in another process or at another time.
    public init(calls: Int, evaluations: Int, accepted: Int, rejected: Int, plainSteps: Int, extraDraws: Int) {
        self.calls = calls
        self.evaluations = evaluations
        self.accepted = accepted
        self.rejected = rejected
        self.plainSteps = plainSteps
        self.extraDraws = extraDraws
    }
}

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
