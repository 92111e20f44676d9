/// L-BFGS (Nocedal 1980) for a convex function of which only the gradient is at hand.
///
/// The line search looks at the slope along the direction alone, which for a convex function says on which side of
/// the minimum a point lies; the logarithms of Φ_T and Θ_T need not be computed. The first metric is diagonal.
struct GradientMinimiser {
    /// The diagonal of the first inverse metric.
    let scale: [Double]
    /// The number of updates remembered.
    private static let memory = 12

    func minimise(
        from start: [Double], tolerance: Double, maximumIterations: Int, gradient: ([Double]) -> [Double]
    ) -> SoftmaxSystem.Solution {
        var point = start
        var slope = gradient(point)
        var updates: [(step: [Double], change: [Double], inverse: Double)] = []
        var iteration = 0
        while norm(slope) > tolerance, iteration < maximumIterations {
            iteration += 1
            let direction = self.direction(against: slope, updates)
            let initial = dot(slope, direction)
            guard initial < 0 else { break }
            var length = 1.0
            var next = point
            var nextSlope = slope
            for _ in 0..<12 {
                next = zip(point, direction).map { min(300, max(-300, $0 + length * $1)) }
                nextSlope = gradient(next)
                let final = dot(nextSlope, direction)
                if final <= -0.9 * initial { break }
                // Too far up the other side: where the slope would vanish if it changed linearly.
                length *= initial / (initial - final)
            }
            let step = zip(next, point).map { $0 - $1 }
            let change = zip(nextSlope, slope).map { $0 - $1 }
            let curvature = dot(step, change)
            if curvature > 0 {
                updates.append((step, change, 1 / curvature))
                if updates.count > GradientMinimiser.memory { updates.removeFirst() }
            }
            (point, slope) = (next, nextSlope)
        }
        return SoftmaxSystem.Solution(exponents: point, gradientNorm: norm(slope), iterations: iteration)
    }

    /// The two-loop recursion.
    private func direction(
        against slope: [Double], _ updates: [(step: [Double], change: [Double], inverse: Double)]
    ) -> [Double] {
        var result = slope.map { -$0 }
        var weights: [Double] = []
        for update in updates.reversed() {
            let weight = update.inverse * dot(update.step, result)
            weights.append(weight)
            for i in result.indices { result[i] -= weight * update.change[i] }
        }
        var size = 1.0
        if let last = updates.last {
            var metric = 0.0
            for i in scale.indices { metric += last.change[i] * last.change[i] * scale[i] }
            size = metric > 0 ? 1 / (last.inverse * metric) : 1
        }
        for i in result.indices { result[i] *= scale[i] * size }
        for (update, weight) in zip(updates, weights.reversed()) {
            let correction = weight - update.inverse * dot(update.change, result)
            for i in result.indices { result[i] += correction * update.step[i] }
        }
        return result
    }

    private func norm(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + abs($1) } }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for i in a.indices { sum += a[i] * b[i] }
        return sum
    }
}
