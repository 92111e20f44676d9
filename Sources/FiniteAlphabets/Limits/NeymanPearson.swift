import Couplings
import Platform

/// The Neyman–Pearson function β_a(P, Q): the least Q-probability of a test that P passes with probability at least a
/// (MC, Section II).
public protocol NeymanPearsonCurve: Sendable {
    /// β_a for 0 ≤ a ≤ 1.
    func beta(_ a: Double) -> Double
}

extension NeymanPearsonCurve {
    /// A limit of many drafts costs no more than that of few.
    public static var draftCounts: ParameterRange { .init("the number of drafts", "at least 1") { $0 >= 1 } }
}

/// β for a pair of finite distributions: the polygon through the sets {P/Q ≥ λ} (MC, (3) and Remark 1).
public struct FiniteNeymanPearson: NeymanPearsonCurve {
    /// The polygon's vertices (P(A), Q(A)), A growing by decreasing P/Q, from (0, 0) to (1, 1).
    public let vertices: [(p: Double, q: Double)]

    /// - Throws: `CouplingError.lengthsDiffer`.
    public init(_ p: FiniteDistribution, _ q: FiniteDistribution) throws(CouplingError) {
        try p.requireSameVocabulary(as: q)
        var vertices = [(p: 0.0, q: 0.0)]
        var (sumP, sumQ) = (0.0, 0.0)
        for token in LikelihoodOrder.decreasing(numerator: p.probabilities, denominator: q.probabilities) {
            sumP += p[token]
            sumQ += q[token]
            vertices.append((sumP, sumQ))
        }
        self.vertices = vertices
    }

    public func beta(_ a: Double) -> Double {
        var previous = vertices[0]
        // Vertices that add nothing to P come last and are never needed, though rounding may put `a` beyond the others.
        for vertex in vertices.dropFirst() where vertex.p > previous.p {
            if a <= vertex.p {
                return previous.q + (vertex.q - previous.q) * max(0, a - previous.p) / (vertex.p - previous.p)
            }
            previous = vertex
        }
        return previous.q
    }

    /// β by Lemma 1: max_λ Σ min(Q, λP) - λ(1-a), the maximum being at one of the ratios Q/P.
    /// - Complexity: O(V²); `beta` is O(V).
    public static func variationalBeta(
        _ a: Double, _ p: FiniteDistribution, _ q: FiniteDistribution
    ) throws(CouplingError) -> Double {
        try p.requireSameVocabulary(as: q)
        let ratios = [0] + p.probabilities.indices.filter { p[$0] > 0 }.map { q[$0] / p[$0] }
        return ratios.map { lambda in
            zip(p.probabilities, q.probabilities).reduce(-lambda * (1 - a)) { $0 + min($1.1, lambda * $1.0) }
        }.max() ?? 0
    }

    /// α*_n = 1 + min_a [β_a(p, q) - aⁿ], the optimal acceptance of n drafts.
    ///
    /// Between vertices β is linear and -aⁿ concave, so a vertex — a deterministic set — attains the minimum.
    public func optimalAcceptance(drafts count: Int) throws(CouplingError) -> Double {
        try Self.draftCounts.check(Double(count))
        let least = vertices.map { $0.q - pow($0.p, Double(count)) }.min() ?? 0
        return min(1, max(0, 1 + least))
    }
}

/// β for two Gaussians of one covariance at distance δ = ‖Δ‖ standard deviations: β_a = Φ(Φ⁻¹(a) - δ).
public struct GaussianNeymanPearson: NeymanPearsonCurve {
    /// δ.
    public let distance: Double

    public static let distances = ParameterRange("the distance", "a finite number of at least 0") {
        $0.isFinite && $0 >= 0
    }

    /// - Throws: `CouplingError.parameterOutOfRange` unless δ is finite and ≥ 0.
    public init(distance: Double) throws(CouplingError) {
        try GaussianNeymanPearson.distances.check(distance)
        self.distance = distance
    }

    public func beta(_ a: Double) -> Double {
        StandardNormal.cumulative(StandardNormal.quantile(a) - distance)
    }

    /// α*_n = 1 + min_a [Φ(Φ⁻¹(a) - δ) - aⁿ], the ceiling of any n-draft rule at a diffusion step; 2Φ(-δ/2) for n = 1.
    ///
    /// With a = Φ(t) the derivative in t has the sign of δt - δ²/2 - log n - (n-1) log Φ(t), convex in t: the minimum
    /// is at its larger root.
    public func optimalAcceptance(drafts count: Int) throws(CouplingError) -> Double {
        try Self.draftCounts.check(Double(count))
        // 1 - α*_n ≤ 1 - α*_1, which is beneath Double there; log(n)/δ would overflow at still smaller distances.
        guard distance > 1e-17 else { return 1 }
        // α*_n ≤ n α*_1, and 2Φ(-50) vanishes in Double.
        guard distance < 100 else { return 0 }
        let n = Double(count)
        if count == 1 { return min(1, 2 * StandardNormal.cumulative(-distance / 2)) }
        func slope(_ t: Double) -> Double {
            distance * t - distance * distance / 2 - log(n) - (n - 1) * StandardNormal.logCumulative(t)
        }
        // Where the slope's own minimum lies, by thirds; the larger root is between it and the root of the linear part.
        var right = distance / 2 + log(n) / distance
        var left = min(-1, -distance - n.squareRoot())
        var high = right
        for _ in 0..<300 {
            let a = left + (high - left) / 3
            let b = high - (high - left) / 3
            if slope(a) < slope(b) { high = b } else { left = a }
        }
        for _ in 0..<200 {
            let middle = (left + right) / 2
            if slope(middle) < 0 { left = middle } else { right = middle }
        }
        let t = (left + right) / 2
        // 1 - aⁿ and β are both accurate as small numbers where acceptance is near 0 or near 1.
        let missed = -expm1(n * StandardNormal.logCumulative(t))
        return min(1, max(0, missed + StandardNormal.cumulative(t - distance)))
    }
}
