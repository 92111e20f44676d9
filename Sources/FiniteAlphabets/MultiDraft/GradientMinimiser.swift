/// L-BFGS (Nocedal 1980) for a convex function of which only the gradient is at hand.
///
/// The line search looks at the slope along the direction alone; the logarithms of Φ_T and Θ_T need not be computed. For a
/// convex function that is enough: a point where the slope still falls, or just vanishes, is not above the start. Past the
/// minimum it may be, on a plain where the slope is small again, so that no point beyond it is ever accepted. The first metric
/// is diagonal.
struct GradientMinimiser {
    /// The diagonal of the first inverse metric.
    let scale: [Double]
    /// The number of updates remembered.
    private static let memory = 12
    /// A step shall leave at most this part of the slope along the direction (Wolfe's condition of curvature).
    private static let curvature = 0.9
    /// What the line search aims at, as a part of the first slope: on the near side of the minimum.
    private static let aim = 0.1
    /// No exponent changes by more at the first try: a quotient's quadratic model holds no farther.
    private static let longestStep = 4.0
    private static let mostTries = 40

    private struct Updates {
        var list: [(step: [Double], change: [Double], inverse: Double)] = []

        mutating func append(step: [Double], change: [Double], inverse: Double) {
            list.append((step, change, inverse))
            if list.count > GradientMinimiser.memory { list.removeFirst() }
        }
    }

    /// - Returns: where the gradient's L1 norm is within the tolerance, or else the last point: after so many iterations, or
    ///   where rounding leaves no direction to go down.
    func minimise(
        from start: [Double], tolerance: Double, maximumIterations: Int, gradient: ([Double]) -> [Double]
    ) -> SoftmaxSystem.Solution {
        var point = start
        var slope = gradient(point)
        var updates = Updates()
        var iteration = 0
        while norm(slope) > tolerance, iteration < maximumIterations {
            iteration += 1
            guard
                let next = lineSearch(
                    from: point, slope, along: direction(against: slope, updates.list), gradient: gradient)
            else {
                // What is remembered may mislead; without it the direction is the gradient's.
                guard !updates.list.isEmpty else { break }
                updates = Updates()
                continue
            }
            let step = zip(next.point, point).map { $0 - $1 }
            let change = zip(next.slope, slope).map { $0 - $1 }
            let curvature = dot(step, change)
            if curvature > 0 { updates.append(step: step, change: change, inverse: 1 / curvature) }
            (point, slope) = next
        }
        return SoftmaxSystem.Solution(exponents: point, gradientNorm: norm(slope), iterations: iteration)
    }

    /// A point along the direction where the slope still falls, by less than at the start; nil if there is none.
    private func lineSearch(
        from point: [Double], _ slope: [Double], along direction: [Double], gradient: ([Double]) -> [Double]
    ) -> (point: [Double], slope: [Double])? {
        let initial = dot(slope, direction)
        let largest = direction.reduce(0) { max($0, abs($1)) }
        guard initial < 0, largest > 0, largest.isFinite else { return nil }
        var (near, nearSlope) = (0.0, initial)
        var far: (length: Double, slope: Double)?
        var length = min(1, GradientMinimiser.longestStep / largest)
        for _ in 0..<GradientMinimiser.mostTries {
            let next = zip(point, direction).map { $0 + length * $1 }
            let nextSlope = gradient(next)
            let final = dot(nextSlope, direction)
            if final <= 0, final >= GradientMinimiser.curvature * initial { return (next, nextSlope) }
            if final < 0 {
                (near, nearSlope) = (length, final)
            } else {
                far = (length, final)
            }
            guard let far else {
                length *= 2
                continue
            }
            // Where the slope would be what is aimed at if it changed linearly, within the middle of what is left.
            let wanted = GradientMinimiser.aim * initial
            let part = far.slope.isFinite ? (wanted - nearSlope) / (far.slope - nearSlope) : 0.5
            length = near + min(0.9, max(0.1, part)) * (far.length - near)
        }
        return nil
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
