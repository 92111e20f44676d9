import Platform

/// Gauss and Legendre's quadrature with 16 points, exact for polynomials up to degree 31.
package enum Quadrature {
    /// Nodes in (-1, 1) and their weights: the zeros of the Legendre polynomial `P_16`, by Newton from Tricomi's estimate.
    private static let nodes: [(position: Double, weight: Double)] = {
        let count = 16
        return (1...count).map { i in
            var x = cos(Double.pi * (Double(i) - 0.25) / (Double(count) + 0.5))
            var slope = 1.0
            for _ in 0..<8 {
                var (previous, value) = (1.0, x)
                for k in 2...count {
                    (previous, value) = (value, (Double(2 * k - 1) * x * value - Double(k - 1) * previous) / Double(k))
                }
                slope = Double(count) * (x * value - previous) / (x * x - 1)
                x -= value / slope
            }
            return (x, 2 / ((1 - x * x) * slope * slope))
        }
    }()

    /// `∫ f` over an interval that is cut into equal parts, 16 points in each.
    package static func integral(
        from low: Double, to high: Double, parts: Int = 1, of f: (Double) -> Double
    ) -> Double {
        let half = (high - low) / Double(2 * parts)
        var sum = 0.0
        for part in 0..<parts {
            let middle = low + half * Double(2 * part + 1)
            for node in nodes { sum += node.weight * f(middle + half * node.position) }
        }
        return half * sum
    }
}
