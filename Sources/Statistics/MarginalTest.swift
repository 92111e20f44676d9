import Platform

/// A two-sample test for vectors: Kolmogorov and Smirnov's on every coordinate and on a few fixed directions between
/// them, the smallest p-value corrected by Bonferroni for their number.
public enum MarginalTest {
    /// - Parameters:
    ///   - first: samples of one law, as rows.
    ///   - second: samples of the other, of the same length.
    ///   - directions: further projections, each as long as a sample.
    public static func twoSample(
        _ first: [[Double]], _ second: [[Double]], directions: [[Double]] = []
    ) -> TestResult {
        guard let dimension = first.first?.count else { return TestResult(statistic: 0, pValue: 1) }
        let axes = (0..<dimension).map { axis in (0..<dimension).map { $0 == axis ? 1.0 : 0 } }
        let projections = axes + directions
        let results = projections.map { direction in
            func project(_ sample: [Double]) -> Double { zip(sample, direction).reduce(0) { $0 + $1.0 * $1.1 } }
            return KolmogorovSmirnov.twoSample(first.map(project), second.map(project))
        }
        return MultipleTesting.bonferroni(results)
    }
}
