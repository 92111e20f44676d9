/// Picard iteration as it is published (DB25 (61)–(66), App. B, after Shih et al. 2023): `M` target calls before a window
/// is scored iterate the sampler *without* noise from `Y_n`,
///
///     F^m_{k+1} = F^{m-1}_k + γ_k b̄_k(F^{m-1}_k),        F^m_n = Y_n,        b̄ the drift with churn ε = 0,
///
/// and only the last iteration draws any: `m^p_k = F^{M-1}_k + γ_k b_k(F^{M-1}_k)`, a function of `Y_n` alone, so that it
/// cannot depend on a later noise (rule R1). The iterates start from a drift frozen at `Y_n`.
///
/// Since the mean of step `k` does not know `Z_{k-1}`, it misses the target's by about the whole noise of the step before,
/// `‖Δ_k‖ ≈ s_{k-1} √d/s_k`: in many dimensions the second draft of a window is nearly always rejected. `PicardDraft`, whose
/// iterates keep their noise, has no such term.
public struct DeterministicPicardDraft: Draft {
    /// `M ≥ 1`
    public let iterations: Int

    /// - Throws: `DiffusionError` for no iterations, or more than 1000.
    public init(iterations: Int) throws(DiffusionError) {
        guard PicardDraft.possibleIterations.contains(iterations) else {
            throw DiffusionError("Picard iterations", expected: "a number from 1 to 1000", found: "\(iterations)")
        }
        self.iterations = iterations
    }

    public var recyclesTarget: Bool { true }
    /// The first iterate needs no answer: without one it stays where it is.
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool { true }
    public var refinements: [ScoredRows] { [ScoredRows](repeating: .allWithoutNoise, count: iterations) }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) -> [[Double]] {
        windows.map { window in
            let k = window.currentStep
            // The answer at step k is the one at F^{m-1}_k, from the call before. Before the first call there is none.
            guard window.iterate != 0, let evaluation = window.memory.evaluation(at: k) else {
                return FrozenDraft().mean(in: window, chain: chain)
            }
            return window.iterate == nil
                ? chain.mean(step: k, state: evaluation.state, prediction: evaluation.prediction)
                : chain.deterministicMean(step: k, state: evaluation.state, prediction: evaluation.prediction)
        }
    }
}
