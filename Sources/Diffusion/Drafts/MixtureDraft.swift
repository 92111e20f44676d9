import Couplings

/// Mixture (DB25 (59)): a convex combination of the means of several drafts, `m^p_k = Σ_j w_j m^{p_j}_k`.
public struct MixtureDraft: Draft {
    public let components: [(weight: Double, draft: any Draft)]

    /// - Parameter components: weights ≥ 0 of any positive sum; they are normalised.
    /// - Throws: `DiffusionError` for no components or impossible weights.
    public init(_ components: [(weight: Double, draft: any Draft)]) throws(DiffusionError) {
        let total = components.reduce(0) { $0 + $1.weight }
        guard components.allSatisfy({ $0.weight >= 0 }), total > 0, total.isFinite else {
            throw DiffusionError(
                "mixture of drafts", expected: "weights ≥ 0 with a positive finite sum",
                found: "\(components.map(\.weight))")
        }
        self.components = components.map { ($0.weight / total, $0.draft) }
    }

    public var recyclesTarget: Bool { components.contains { $0.draft.recyclesTarget } }
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool {
        components.allSatisfy { $0.draft.canStart(sample: sample, chain: chain) }
    }
    /// As many as the component that wants most, each of as many states as any component asks for.
    public var refinements: [ScoredRows] {
        let wishes = components.map(\.draft.refinements)
        return (0..<(wishes.map(\.count).max() ?? 0)).map { pass in
            wishes.contains { pass < $0.count && $0[pass] == .all } ? .all : .first
        }
    }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        var sums = windows.map { [Double](repeating: 0, count: $0.currentState.count) }
        for (weight, draft) in components {
            for (i, mean) in try draft.means(for: windows, chain: chain).enumerated() {
                sums[i] = Vector.combine(1, sums[i], weight, mean)
            }
        }
        return sums
    }
}
