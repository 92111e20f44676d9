import Platform

/// Laws whose distribution functions have a closed form. Of its own, and not those of `Couplings`: what judges a rule
/// shares no code with it.
public enum NormalDistribution {
    /// `Φ(x)`
    public static func cumulative(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

    /// The z-test: probability that a standard normal lies farther from 0 than `z` does.
    public static func twoSided(_ z: Double) -> TestResult {
        TestResult(statistic: z, pValue: erfc(abs(z) / 2.0.squareRoot()))
    }

    /// Whether a number of successes is binomial, by the z-test (de Moivre and Laplace).
    /// - Parameters:
    ///   - successes: how many of `count` there were.
    ///   - probability: of one; 0 and 1 leave no room for any other number.
    public static func binomial(successes: Int, count: Int, probability: Double) -> TestResult {
        let (count, probability) = (Double(count), min(1, probability))
        let deviation = (count * probability * (1 - probability)).squareRoot()
        let excess = Double(successes) - count * probability
        return twoSided(deviation > 0 ? excess / deviation : excess)
    }

    /// The law of `‖Z‖²` for `degrees` independent standard normals, `1 - e^{-x/2} Σ_{i < degrees/2} (x/2)^i/i!`.
    /// - Parameters:
    ///   - x: where the distribution function is wanted; 0 below 0.
    ///   - degrees: even and positive.
    public static func squaredNormCumulative(_ x: Double, degrees: Int) -> Double {
        precondition(degrees > 0 && degrees.isMultiple(of: 2), "an even number of degrees of freedom")
        guard x > 0 else { return 0 }
        var (term, sum) = (1.0, 1.0)
        for i in stride(from: 1, to: degrees / 2, by: 1) {
            term *= x / 2 / Double(i)
            sum += term
        }
        return 1 - exp(-x / 2) * sum
    }
}
