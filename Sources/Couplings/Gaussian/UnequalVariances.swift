import Platform

/// Two Gaussians of one mean and different variances, `N(m, σ_1² I)` and `N(m, σ_2² I)` (DB25 App. E): why a draft must have the
/// target's noise. Their densities are equal on a sphere, and in high dimension one has almost all its mass within it, the other
/// without.
public struct UnequalVariances: Sendable {
    /// `σ_1` of the wider.
    public let wider: Double
    /// `σ_2` of the narrower.
    public let narrower: Double

    /// - Parameters: two different positive standard deviations, in either order.
    public init(_ first: Double, _ second: Double) {
        (wider, narrower) = (max(first, second), min(first, second))
    }

    /// (77): `R²`, within which the narrower density is the larger,
    /// `d log(σ_1²/σ_2²) / (1/σ_2² - 1/σ_1²)`.
    public func squaredRadius(dimension: Int) -> Double {
        Double(dimension) * 2 * log(wider / narrower) / (1 / (narrower * narrower) - 1 / (wider * wider))
    }

    /// (78), the total variation `P(Q ≤ R²/σ_2²) - P(Q ≤ R²/σ_1²)` with `Q` of the `χ²` law: the least probability that a draft is
    /// rejected. (The text once calls it the acceptance, and says that it nears 0; it nears 1, as Fig. 4 shows.)
    public func rejection(dimension: Int) -> Double {
        let square = squaredRadius(dimension: dimension)
        return StandardNormal.squaredNormCumulative(square / (narrower * narrower), dimension: dimension)
            - StandardNormal.squaredNormCumulative(square / (wider * wider), dimension: dimension)
    }
}
