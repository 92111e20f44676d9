import Foundation

/// What the rules need of the standard normal law.
enum StandardNormal {
    /// `Φ(-x)`
    static func tail(_ x: Double) -> Double { erfc(x / 2.0.squareRoot()) / 2 }

    /// `log Φ(-x)`, far into the tail too, where `Φ` itself is 0 in `Double`.
    static func logTail(_ x: Double) -> Double {
        if x < 25 { return log(tail(x)) }
        // Φ(-x) = φ(x)/x (1 - 1/x² + 3/x⁴ - …); beyond 25 the next term is below 1e-7.
        let square = x * x
        return -square / 2 - log(x) - log(2 * Double.pi) / 2 + log1p((-1 + 3 / square) / square)
    }

    /// `E[min(1, exp(-(c/2 + ρ z)))]` over a standard normal `z`: how often a rule accepts whose log acceptance ratio is
    /// linear in the noise. It is `Φ(-c/(2ρ)) + exp((ρ² - c)/2) Φ(c/(2ρ) - ρ)`.
    /// - Parameters:
    ///   - squaredScale: `c`
    ///   - slope: `ρ ≥ 0`
    static func boundedExponentialMean(squaredScale: Double, slope: Double) -> Double {
        guard slope > 0 else { return min(1, exp(-squaredScale / 2)) }
        let edge = squaredScale / (2 * slope)
        let beyond = exp((slope * slope - squaredScale) / 2 + logTail(slope - edge))
        return min(1, tail(edge) + beyond)
    }
}
