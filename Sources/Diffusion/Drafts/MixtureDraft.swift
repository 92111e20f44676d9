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
            wishes.compactMap { pass < $0.count ? $0[pass] : nil }.max() ?? .first
        }
    }

    public var secantPairs: Int { components.map(\.secantPairs).max() ?? 0 }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        var sums = windows.map { _ in [Double](repeating: 0, count: chain.drawnDimension) }
        for (j, draft) in components.enumerated() {
            for (i, mean) in try draft.means(for: windows, chain: chain).enumerated() {
                let weight = weights.at(step: windows[i].currentStep, of: chain.stepCount)[j]
                sums[i] = Vector.combine(1, sums[i], weight, mean)
            }
        }
        return sums
    }
}
