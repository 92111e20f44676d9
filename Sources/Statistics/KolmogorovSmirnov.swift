import Platform

/// The result of a test of one hypothesis.
public struct TestResult: Sendable, Equatable {
    public let statistic: Double
    /// Probability, if the hypothesis holds, of a statistic at least as large.
    public let pValue: Double

    public init(statistic: Double, pValue: Double) {
        self.statistic = statistic
        self.pValue = pValue
    }
}

/// The two-sample test of Kolmogorov and Smirnov: do two sets of numbers come from the same continuous law?
public enum KolmogorovSmirnov {
    /// The statistic is the largest difference `D` of the two empirical distribution functions. Its p-value is the
    /// asymptotic one, with Stephens' correction for finite samples (Stephens 1970; Press et al., Numerical Recipes
    /// §14.3), good from effective sizes `n m/(n + m) ≥ 4` on. Ties count as in the definition of `D`.
    /// - Complexity: O(n log n).
    public static func twoSample(_ first: [Double], _ second: [Double]) -> TestResult {
        let (x, y) = (first.sorted(), second.sorted())
        guard !x.isEmpty, !y.isEmpty else { return TestResult(statistic: 0, pValue: 1) }
        var (i, j) = (0, 0)
        var largest = 0.0
        while i < x.count, j < y.count {
            let value = min(x[i], y[j])
            while i < x.count, x[i] <= value { i += 1 }
            while j < y.count, y[j] <= value { j += 1 }
            largest = max(largest, abs(Double(i) / Double(x.count) - Double(j) / Double(y.count)))
        }
        let root = (Double(x.count) * Double(y.count) / Double(x.count + y.count)).squareRoot()
        return TestResult(statistic: largest, pValue: survival((root + 0.12 + 0.11 / root) * largest))
    }

    /// The one-sample test: do the numbers come from the law with this continuous distribution function? Statistic and
    /// p-value as for two samples, with the sample's own size as the effective one.
    /// - Complexity: O(n log n).
    public static func oneSample(_ sample: [Double], cumulative: (Double) -> Double) -> TestResult {
        guard !sample.isEmpty else { return TestResult(statistic: 0, pValue: 1) }
        let count = Double(sample.count)
        var largest = 0.0
        for (i, value) in sample.sorted().enumerated() {
            let probability = cumulative(value)
            largest = max(largest, probability - Double(i) / count, Double(i + 1) / count - probability)
        }
        let root = count.squareRoot()
        return TestResult(statistic: largest, pValue: survival((root + 0.12 + 0.11 / root) * largest))
    }

    /// `P(K > λ) = 2 Σ_j (-1)^{j-1} exp(-2 j² λ²)` of Kolmogorov's distribution.
    static func survival(_ lambda: Double) -> Double {
        if lambda < 0.2 { return 1 }  // 1 - P < 1e-12 there, where the alternating sum is slow
        var sum = 0.0
        for j in 1...100 {
            let term = exp(-2 * Double(j * j) * lambda * lambda)
            sum += j.isMultiple(of: 2) ? -term : term
            if term < 1e-300 { break }
        }
        return min(1, max(0, 2 * sum))
    }
}
