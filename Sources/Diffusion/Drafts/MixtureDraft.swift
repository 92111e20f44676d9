import Couplings

/// Mixture (DB25 (59)): a convex combination of the means of several drafts, `m^p_k = Σ_j w_{k,j} m^{p_j}_k`.
public struct MixtureDraft: Draft {
    public let components: [any Draft]
    public let weights: MixtureWeights

    /// - Throws: `DiffusionError` unless there is a weight for each component.
    public init(_ components: [any Draft], weights: MixtureWeights) throws(DiffusionError) {
        guard !components.isEmpty, components.count == weights.componentCount else {
            throw DiffusionError(
                "mixture of drafts", expected: "\(weights.componentCount) drafts, one for each weight",
                found: "\(components.count)")
        }
        self.components = components
        self.weights = weights
    }

    /// The same weights at all steps.
    /// - Parameter components: weights ≥ 0 of any positive sum; they are normalised.
    /// - Throws: `DiffusionError` for no components or impossible weights.
    public init(_ components: [(weight: Double, draft: any Draft)]) throws(DiffusionError) {
        try self.init(
            components.map(\.draft), weights: MixtureWeights(byProgress: [components.map(\.weight)]))
    }

    public var recyclesTarget: Bool { components.contains { $0.recyclesTarget } }
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool {
        components.allSatisfy { $0.canStart(sample: sample, chain: chain) }
    }
    /// As many as the component that wants most, each of as many states as any component asks for.
    public var refinements: [ScoredRows] {
        let wishes = components.map(\.refinements)
        return (0..<(wishes.map(\.count).max() ?? 0)).map { pass in
            wishes.contains { pass < $0.count && $0[pass] == .all } ? .all : .first
        }
    }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        var sums = windows.map { [Double](repeating: 0, count: $0.currentState.count) }
        for (j, draft) in components.enumerated() {
            for (i, mean) in try draft.means(for: windows, chain: chain).enumerated() {
                let weight = weights.at(step: windows[i].currentStep, of: chain.stepCount)[j]
                sums[i] = Vector.combine(1, sums[i], weight, mean)
            }
        }
        return sums
    }
}

/// The weights `w_{k,j}` of a mixture. They are kept over the progress `k / K` of the chain, so that weights learnt with
/// one number of steps serve any other.
public struct MixtureWeights: Sendable {
    /// A row of weights of sum 1 for each of equal parts of the chain.
    public let byProgress: [[Double]]

    /// - Parameter byProgress: one or more rows of as many weights ≥ 0 each; every row is normalised.
    /// - Throws: `DiffusionError` for no rows, rows of different lengths, or a row without a positive finite sum.
    public init(byProgress: [[Double]]) throws(DiffusionError) {
        guard let count = byProgress.first?.count, count > 0, byProgress.allSatisfy({ $0.count == count }) else {
            throw DiffusionError(
                "weights of a mixture", expected: "rows of one weight for each draft",
                found: "rows of \(byProgress.map(\.count))")
        }
        var rows: [[Double]] = []
        for row in byProgress {
            let total = row.reduce(0, +)
            guard row.allSatisfy({ $0 >= 0 }), total > 0, total.isFinite else {
                throw DiffusionError(
                    "mixture of drafts", expected: "weights ≥ 0 with a positive finite sum", found: "\(row)")
            }
            rows.append(row.map { $0 / total })
        }
        self.byProgress = rows
    }

    public var componentCount: Int { byProgress[0].count }

    /// The weights at step `k` of `K`.
    public func at(step: Int, of stepCount: Int) -> [Double] {
        byProgress[min(byProgress.count - 1, step * byProgress.count / max(1, stepCount))]
    }
}
