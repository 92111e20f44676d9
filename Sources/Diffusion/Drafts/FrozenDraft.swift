import Couplings

/// Frozen drift (DB25 (7), "efficient" variant of App. B): `m^p_k = y_k + γ_k b_n`, where `b_n` is the drift last
/// evaluated for step `n`: at `Ỹ_n` of the window before.
public struct FrozenDraft: RecyclingDraft {
    public init() {}

    public func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        let (n, k) = (window.firstStep, window.currentStep)
        guard let evaluation = window.memory.evaluation(at: n) else { return window.currentState }
        let mean = chain.mean(step: n, state: evaluation.state, prediction: evaluation.prediction)
        let move = Vector.combine(1, mean, -1, evaluation.state)  // γ_n b_n
        let ratio = chain.transition(at: k).duration / chain.transition(at: n).duration
        return Vector.combine(1, window.currentState, ratio, move)
    }
}
