import Platform

/// The law of what Algorithm 7 puts out, (98) and (99) of DB25 (App. F.1, Figs 2 and 5): `(Y - m^q)/s` is standard normal across
/// `Δ`, and along it has the density `φ(x) (1 + a_τ(x))`,
///
///     a_τ(x) = -min(1, φ_τ(x - δ)/φ_τ(x)) + φ(x - δ)/φ(x) min(φ_τ(x)/φ_τ(x - δ), 1).
///
/// Half-way between the means, at `δ/2`, the two minima change over, and on either side all is Gaussian:
///
///     φ(x) + φ(x - δ) - e^c φ(x - δ/τ)   below,   e^c φ(x - δ + δ/τ)   above,   c = δ² (1 - τ)/(2 τ²).
public struct TemperatureLaw: Sendable {
    /// `δ = ‖Δ‖ ≥ 0`.
    public let distance: Double
    /// `τ > 0`.
    public let temperature: Double

    public init(distance: Double, temperature: Double) {
        (self.distance, self.temperature) = (distance, temperature)
    }

    /// `c`
    private var logFactor: Double { distance * distance * (1 - temperature) / (2 * temperature * temperature) }
    /// `δ/τ`
    private var scaled: Double { distance / temperature }

    /// The density at `x`, in standard deviations from the target's mean towards the draft's.
    public func density(at x: Double) -> Double {
        func normal(_ x: Double, _ logWeight: Double = 0) -> Double {
            exp(logWeight - x * x / 2) / (2 * Double.pi).squareRoot()
        }
        if x > distance / 2 { return normal(x - distance + scaled, logFactor) }
        return max(0, normal(x) + normal(x - distance) - normal(x - scaled, logFactor))
    }

    /// The distribution function.
    public func cumulative(_ x: Double) -> Double {
        func weighted(_ x: Double) -> Double { exp(logFactor + StandardNormal.logCumulative(x)) }
        let low = min(x, distance / 2)
        let below =
            StandardNormal.cumulative(low) + StandardNormal.cumulative(low - distance) - weighted(low - scaled)
        guard x > distance / 2 else { return below }
        return below + weighted(x - distance + scaled) - weighted(scaled - distance / 2)
    }
}
