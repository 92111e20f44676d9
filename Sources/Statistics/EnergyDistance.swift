import Platform

/// The energy distance of two samples of vectors, `2 E‖X - Y‖ - E‖X - X'‖ - E‖Y - Y'‖` (Székely & Rizzo 2004), which is
/// zero only for equal laws, tested by random swaps.
public enum EnergyDistance {
    /// Compares paired sets: the two samples of a pair share whatever they were conditioned on, and are independent
    /// otherwise. Under equal laws each pair can be swapped, so the p-value by random swaps is exact at any size.
    /// - Parameters:
    ///   - first: samples of one law, as rows.
    ///   - second: as many of the other, pair by pair.
    ///   - swaps: number of random swappings; the smallest p-value is 1/(swaps + 1).
    ///   - generator: draws the swappings.
    /// - Complexity: O(n² (d + swaps)) time, O(n²) memory.
    public static func pairedTwoSample(
        _ first: [[Double]], _ second: [[Double]], swaps: Int = 999,
        using generator: inout some RandomNumberGenerator
    ) -> TestResult {
        precondition(first.count == second.count, "pairs")
        let count = first.count
        guard count > 0 else { return TestResult(statistic: 0, pValue: 1) }
        // With signs e_i = ±1 for the pair's order the statistic is the quadratic form Σ e_i e_j A_ij / n², where
        // A_ij = d(x_i, y_j) + d(y_i, x_j) - d(x_i, x_j) - d(y_i, y_j).
        var form = [Double](repeating: 0, count: count * count)
        for i in 0..<count {
            for j in 0...i {
                let value =
                    distance(first[i], second[j]) + distance(second[i], first[j])
                    - distance(first[i], first[j]) - distance(second[i], second[j])
                form[i * count + j] = value
                form[j * count + i] = value
            }
        }
        func statistic(_ signs: [Double]) -> Double {
            var sum = 0.0
            for i in 0..<count {
                var row = 0.0
                for j in 0..<count { row += form[i * count + j] * signs[j] }
                sum += signs[i] * row
            }
            return sum / Double(count * count)
        }
        let observed = statistic([Double](repeating: 1, count: count))
        var atLeast = 1
        for _ in 0..<swaps {
            let signs = (0..<count).map { _ in Bool.random(using: &generator) ? 1.0 : -1.0 }
            // Swappings that give the same set again must count as equal in spite of rounding.
            if statistic(signs) >= observed * (1 - 1e-12) { atLeast += 1 }
        }
        return TestResult(statistic: observed, pValue: Double(atLeast) / Double(swaps + 1))
    }

    private static func distance(_ x: [Double], _ y: [Double]) -> Double {
        var sum = 0.0
        for i in x.indices {
            let difference = x[i] - y[i]
            sum += difference * difference
        }
        return sum.squareRoot()
    }
}
