import Platform

/// The 2-Wasserstein distance between two sets of as many points, `min_π √(1/n Σ ‖x_i - y_π(i)‖²)`.
///
/// Between finite samples it is positive even if both have the same law, the more so in high dimension; a distance means
/// something beside the one between two samples of the same law.
public enum Wasserstein {
    /// Exactly, by optimal assignment.
    /// - Complexity: O(n² d + n³) time at worst, O(n²) memory: for a few thousand points.
    public static func exact(_ first: [[Double]], _ second: [[Double]]) -> Double {
        precondition(first.count == second.count, "as many points on both sides")
        let count = first.count
        guard count > 0 else { return 0 }
        var costs = [Double](repeating: 0, count: count * count)
        for i in 0..<count { for j in 0..<count { costs[i * count + j] = squaredDistance(first[i], second[j]) } }
        let columns = Assignment.minimal(costs: costs, size: count)
        let total = columns.enumerated().reduce(0) { $0 + costs[$1.offset * count + $1.element] }
        return (total / Double(count)).squareRoot()
    }

    /// Sliced (Rabin et al. 2011; Bonneel et al. 2015): the root of the mean over random directions of the squared
    /// distances of the projections, times `√d`, so that for a mere shift it is the same number as the exact distance.
    /// - Parameters:
    ///   - first: points of one law, as rows.
    ///   - second: as many points of the other.
    ///   - directions: nonzero vectors of isotropic law.
    /// - Complexity: O(n (d + log n)) a direction.
    public static func sliced(_ first: [[Double]], _ second: [[Double]], directions: [[Double]]) -> Double {
        precondition(first.count == second.count, "as many points on both sides")
        guard let dimension = first.first?.count, !directions.isEmpty else { return 0 }
        var sum = 0.0
        for direction in directions {
            let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            func projected(_ points: [[Double]]) -> [Double] {
                points.map { point in
                    var product = 0.0
                    for i in point.indices { product += point[i] * direction[i] }
                    return product / length
                }.sorted()
            }
            sum +=
                zip(projected(first), projected(second)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                / Double(first.count)
        }
        return (sum / Double(directions.count) * Double(dimension)).squareRoot()
    }

    private static func squaredDistance(_ x: [Double], _ y: [Double]) -> Double {
        var sum = 0.0
        for i in x.indices {
            let difference = x[i] - y[i]
            sum += difference * difference
        }
        return sum
    }
}
