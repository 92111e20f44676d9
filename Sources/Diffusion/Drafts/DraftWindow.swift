/// The states that a draft proposes from a sample's step `n` on, while they are being drawn.
public struct DraftWindow: Sendable {
    public let sample: Int
    /// `n`
    public let firstStep: Int
    /// What is known of the target: nothing in it depends on a noise that a mean must not depend on (rule R1).
    public let memory: EvaluationMemory
    /// `Ỹ_n = Y_n, Ỹ_{n+1}, …`
    public internal(set) var states: [[Double]]
    /// `m^p_n, m^p_{n+1}, …`, one fewer than states; each of the state's driven part.
    public internal(set) var means: [[Double]] = []
    /// `Z_n, Z_{n+1}, …`, likewise; none for an iterate.
    public internal(set) var noises: [[Double]] = []
    /// `W`
    public let length: Int
    /// Whether the target alone takes the next step.
    let isPlain: Bool
    /// Which of the draft's refinements the window is drafted for without noise, from 0; nil for a window with noise.
    public let iterate: Int?

    /// - Parameters:
    ///   - state: `Y_n`, at the step `n` that the window starts from.
    ///   - memory: what the target has answered along this sample's path.
    init(
        sample: Int, firstStep: Int, state: [Double], memory: EvaluationMemory, length: Int, isPlain: Bool = false,
        iterate: Int? = nil
    ) {
        self.sample = sample
        self.iterate = iterate
        self.firstStep = firstStep
        self.memory = memory
        states = [state]
        self.length = length
        self.isPlain = isPlain
        states.reserveCapacity(length + 1)
        means.reserveCapacity(length)
        noises.reserveCapacity(length)
    }

    /// `k`, the step whose mean is wanted next.
    public var currentStep: Int { firstStep + means.count }
    /// `Ỹ_k`
    public var currentState: [Double] { states[means.count] }
    /// The window as it was when the mean of `step` was wanted, for another draft to say what it would have guessed.
    public func cut(at step: Int) -> DraftWindow {
        var window = self
        let drafted = step - firstStep
        window.states.removeLast(states.count - 1 - drafted)
        window.means.removeLast(means.count - drafted)
        window.noises.removeLast(max(0, noises.count - drafted))  // a window without noise has none
        return window
    }

    /// The newest answer of the target at a step up to the current one, and where the path passes at that step now. Before
    /// the window's first step, which a plain step leaves unevaluated, that is the state it was asked at: it is decided.
    public var latestEvaluation: (step: Int, evaluation: EvaluationMemory.Evaluation, pathState: [Double])? {
        memory.latestEvaluation(upTo: currentStep).map { step, evaluation in
            (step, evaluation, step < firstStep ? evaluation.state : state(at: step))
        }
    }

    /// `Ỹ_k` for any step drafted so far.
    func state(at step: Int) -> [Double] { states[step - firstStep] }
}
