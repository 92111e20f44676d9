import Couplings

/// Corrected (DB25 App. B, "Medusa-like", (55)–(58)): the recycled draft's guess, and what a small network has learnt to
/// add to it,
///
///     x̂0 = a + c(t_i, t_k, ỹ_i, ỹ'_i, a, y_k),      a = x̂0_i + c_i (ỹ'_i - ỹ_i),      i ≤ k the newest step evaluated.
///
/// The paper corrects the drift frozen at the window's first step; here what is corrected knows earlier windows too, the
/// linear part of the drift stays exact, and the network sees the guess and how far the path has moved from the state that
/// it stems from, `ỹ'_i - ỹ_i`.
public struct CorrectedDraft: Draft {
    /// What is corrected.
    public static let base = RecycledDraft()
    public let corrector: any Corrector

    public init(corrector: any Corrector) { self.corrector = corrector }

    public var recyclesTarget: Bool { true }
    /// From the prior: the network then has only the state to go by.
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool {
        Self.base.canStart(sample: sample, chain: chain)
    }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        let queries = windows.map { CorrectionQuery(of: $0, chain: chain) }
        let corrections = try corrector.corrections(for: queries)
        return zip(queries, corrections).map { query, correction in
            chain.mean(
                step: query.query.step, state: query.query.state,
                prediction: Vector.combine(1, query.answer, 1, correction))
        }
    }
}
