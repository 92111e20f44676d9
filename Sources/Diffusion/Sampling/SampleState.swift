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

    /// About what it will come to: the newest prediction along its path, `x̂0` of a chain that denoises; nil before the first.
    public var prediction: [Double]? {
        (memory.latestEvaluation(upTo: step) ?? memory.latestEvaluation(upTo: memory.lastStep))?.evaluation.prediction
    }

    /// The window that a draft proposes from here on.
    func window(length: Int, isPlain: Bool = false, iterate: Int? = nil) -> DraftWindow {
        DraftWindow(
            sample: sample, firstStep: step, state: state, memory: memory, length: length, isPlain: isPlain,
            iterate: iterate)
    }
}
