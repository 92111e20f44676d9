import Couplings

/// Frozen drift (DB25 (7) and App. B): `m^p_k = y_k + γ_k b`, with one drift `b` for the whole window. Of a state that the noise
/// drives in part, the drift of that part is frozen.
public struct FrozenDraft: RecyclingDraft {
    /// Where the drift was evaluated.
    public enum Variant: Sendable {
        /// At `Ỹ_n`, as the window before had drafted it: no call of its own (App. B, "efficient").
        case efficient
        /// At `Y_n`, by one more call a window.
        case fresh
        /// At `Y_{n-1}` where `Y_n` was repaired, else at `Y_n`: no call either, and a state that was really reached.
        case previous
    }

    public let variant: Variant

    public init(_ variant: Variant = .efficient) { self.variant = variant }

    public var refinements: [ScoredRows] { variant == .fresh ? [.first] : [] }

    public func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        let (n, k) = (window.firstStep, window.currentStep)
        guard var evaluation = window.memory.evaluation(at: n) else { return chain.layout.driven(window.currentState) }
        var source = n
        if variant == .previous, evaluation.state != window.states[0], let older = window.memory.evaluation(at: n - 1) {
            (source, evaluation) = (n - 1, older)
        }
        let mean = chain.mean(step: source, state: evaluation.state, prediction: evaluation.prediction)
        let move = Vector.combine(1, mean, -1, chain.layout.driven(evaluation.state))  // γ b
        let ratio = chain.transition(at: k).duration / chain.transition(at: source).duration
        return Vector.combine(1, chain.layout.driven(window.currentState), ratio, move)
    }
}
