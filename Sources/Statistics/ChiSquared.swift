import Platform

/// Pearson's test that counts follow a law (Pearson 1900), `χ² = Σ (n_i - N p_i)²/(N p_i)`.
public enum ChiSquared {
    /// Tokens that are expected less often than this are counted together: below, the statistic's law is not near enough.
    public static let fewestExpected = 10.0

    /// - Parameters:
    ///   - counts: how often each outcome came.
    ///   - probabilities: what they should be, of the same number and with sum 1. An outcome of probability 0 that came at all
    ///     has the p-value 0, and the largest statistic that can be written as JSON in infinity's place.
    public static func goodnessOfFit(counts: [Int], probabilities: [Double]) -> TestResult {
        precondition(counts.count == probabilities.count, "a probability for each count")
        let total = Double(counts.reduce(0, +))
        if zip(counts, probabilities).contains(where: { $0 > 0 && $1 <= 0 }) {
            return TestResult(statistic: .greatestFiniteMagnitude, pValue: 0)
        }
        var cells: [(found: Double, expected: Double)] = []
        var (found, expected) = (0.0, 0.0)
        for index in probabilities.indices.sorted(by: { probabilities[$0] < probabilities[$1] }) {
            found += Double(counts[index])
            expected += total * probabilities[index]
            if expected >= fewestExpected {
                cells.append((found, expected))
                (found, expected) = (0, 0)
            }
        }
        // What is left at the end goes to the last cell, if there is one.
        if let last = cells.indices.last {
            cells[last].found += found
            cells[last].expected += expected
        }
        guard cells.count > 1 else { return TestResult(statistic: 0, pValue: 1) }
        let statistic = cells.reduce(0) { $0 + ($1.found - $1.expected) * ($1.found - $1.expected) / $1.expected }
        return TestResult(statistic: statistic, pValue: survival(statistic, degrees: cells.count - 1))
    }

    /// The probability that `χ²` of so many degrees of freedom is above `x`: `Q(degrees/2, x/2)`, the upper incomplete gamma
    /// function over the whole, by its series below its middle and by Lentz's continued fraction above (Abramowitz and Stegun
    /// 6.5.29 and 6.5.31).
    public static func survival(_ x: Double, degrees: Int) -> Double {
        precondition(degrees > 0, "at least one degree of freedom")
        let (a, x) = (Double(degrees) / 2, x / 2)
        guard x > 0 else { return 1 }
        guard x.isFinite else { return 0 }
        let scale = exp(a * log(x) - x - lgamma(a))
        if x < a + 1 {
            var (term, sum, n) = (1 / a, 1 / a, a)
            while term > sum * .ulpOfOne {
                n += 1
                term *= x / n
                sum += term
            }
            return max(0, 1 - scale * sum)
        }
        var b = x + 1 - a
        var (c, d) = (Double.greatestFiniteMagnitude, 1 / b)
        var fraction = d
        for i in 1...100_000 {
            let numerator = -Double(i) * (Double(i) - a)
            b += 2
            d = 1 / (numerator * d + b)
            c = b + numerator / c
            let factor = c * d
            fraction *= factor
            if abs(factor - 1) <= 2 * .ulpOfOne { break }
        }
        return scale * fraction
    }
}
