import Platform

/// The standard normal distribution function and its inverse.
package enum StandardNormal {
    /// Φ(x).
    package static func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

    /// log Φ(x), also far in the lower tail, where Φ vanishes in Double.
    package static func logCumulative(_ x: Double) -> Double {
        if x > -37 { return log(cumulative(x)) }
        // The asymptotic series of Mills' ratio; its next term is below 10⁻⁷ here.
        let square = x * x
        return -square / 2 - 0.5 * log(2 * Double.pi) - log(-x) + log1p(-1 / square + 3 / (square * square))
    }

    /// Φ⁻¹(p) by bisection on the side where p is small, then Newton; ±∞ at 0 and 1.
    package static func quantile(_ p: Double) -> Double {
        if p <= 0 { return -.infinity }
        if p >= 1 { return .infinity }
        if p > 0.5 { return -quantile(1 - p) }
        var low = -40.0
        var high = 0.0
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if cumulative(middle) < p { low = middle } else { high = middle }
        }
        let x = (low + high) / 2
        let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        return density > 0 ? x - (cumulative(x) - p) / density : x
    }
}

extension StandardNormal {
    /// `P(‖Z‖² ≤ x)` in so many dimensions, the `χ²` law: `P(a + 1, y) = P(a, y) - y^a e^{-y}/Γ(a + 1)` from `P(1/2, y) = erf √y` or
    /// `P(1, y) = 1 - e^{-y}` on, with `a = d/2` and `y = x/2`.
    package static func squaredNormCumulative(_ x: Double, dimension: Int) -> Double {
        guard x > 0 else { return 0 }
        let y = x / 2
        let isOdd = !dimension.isMultiple(of: 2)
        var a = isOdd ? 0.5 : 1.0
        var sum = isOdd ? erf(y.squareRoot()) : -expm1(-y)
        while a < Double(dimension) / 2 - 0.25 {
            sum -= exp(a * log(y) - y - lgamma(a + 1))
            a += 1
        }
        return min(1, max(0, sum))
    }

    /// `E[min(1, exp(-(c/2 + ρ z)))]` over a standard normal `z`: how often a rule accepts whose log acceptance ratio is
    /// linear in the noise. It is `Φ(-c/(2ρ)) + exp((ρ² - c)/2) Φ(c/(2ρ) - ρ)`.
    /// - Parameters:
    ///   - squaredScale: `c`
    ///   - slope: `ρ ≥ 0`
    package static func boundedExponentialMean(squaredScale: Double, slope: Double) -> Double {
        guard squaredScale < .infinity else { return 0 }
        guard slope > 0 else { return min(1, exp(-squaredScale / 2)) }
        let edge = squaredScale / (2 * slope)
        let beyond = exp((slope * slope - squaredScale) / 2 + logCumulative(edge - slope))
        return min(1, cumulative(-edge) + beyond)
    }
}
