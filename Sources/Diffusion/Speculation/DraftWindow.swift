/// The states that a draft proposes from a sample's step `n` on, while they are being drawn.
public struct DraftWindow: Sendable {
    public let sample: Int
    /// `n`
    public let firstStep: Int
    /// What is known of the target: nothing in it depends on a noise that a mean must not depend on (rule R1).
    public let memory: EvaluationMemory
    /// `Ỹ_n = Y_n, Ỹ_{n+1}, …`
    public internal(set) var states: [[Double]]
    /// `m^p_n, m^p_{n+1}, …`, one fewer than states.
    public internal(set) var means: [[Double]] = []
    /// `Z_n, Z_{n+1}, …`, likewise.
    public internal(set) var noises: [[Double]] = []
    /// `W`
    public let length: Int
    /// Whether the target alone takes the next step.
    let isPlain: Bool

    init(_ sample: SampleState, length: Int, isPlain: Bool = false) {
        self.sample = sample.sample
        firstStep = sample.step
        memory = sample.memory
        states = [sample.state]
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
    /// `Ỹ_k` for any step drafted so far.
    public func state(at step: Int) -> [Double] { states[step - firstStep] }
}
