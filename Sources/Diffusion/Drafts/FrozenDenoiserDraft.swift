/// Frozen denoiser: `m^p_k = m_k(y_k; x̂0)` with the `x̂0` last evaluated for step `n`. The part of the drift that is
/// linear in the state stays exact, and only the network's answer is frozen.
public struct FrozenDenoiserDraft: RecyclingDraft {
    public init() {}

    public func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        let prediction =
            window.memory.evaluation(at: window.firstStep)?.prediction
            ?? chain.layout.position(of: window.currentState)
        return chain.mean(step: window.currentStep, state: window.currentState, prediction: prediction)
    }
}
