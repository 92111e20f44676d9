/// Many hypotheses tested at once.
public enum MultipleTesting {
    /// Holm's step-down procedure (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
    /// of Statistics 6, 1979): adjusted p-values, to be compared with the family-wise level. It holds that level
    /// whatever the dependence between the tests.
    /// - Returns: in the order of `pValues`, `max_{j ≤ i} min(1, (m - j + 1) p_(j))` with `p_(1) ≤ … ≤ p_(m)`.
    public static func holm(_ pValues: [Double]) -> [Double] {
        var adjusted = pValues
        var highest = 0.0
        for (rank, index) in pValues.indices.sorted(by: { pValues[$0] < pValues[$1] }).enumerated() {
            highest = max(highest, min(1, Double(pValues.count - rank) * pValues[index]))
            adjusted[index] = highest
        }
        return adjusted
    }

    /// Bonferroni's bound for the smallest of several p-values.
    public static func bonferroni(_ pValues: [Double]) -> Double {
        min(1, (pValues.min() ?? 1) * Double(max(1, pValues.count)))
    }

    /// Several tests of one hypothesis as one: Bonferroni's bound, with the statistic that gave the smallest p-value.
    public static func bonferroni(_ results: [TestResult]) -> TestResult {
        let least = results.min { $0.pValue < $1.pValue }
        return TestResult(statistic: least?.statistic ?? 0, pValue: bonferroni(results.map(\.pValue)))
    }
}
