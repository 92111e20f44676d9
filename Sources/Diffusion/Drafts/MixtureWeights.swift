/// The weights `w_{k,j}` of a mixture. They are kept over the progress `k / K` of the chain, so that weights learnt with
/// one number of steps serve any other.
public struct MixtureWeights: Sendable {
    /// A row of weights of sum 1 for each of equal parts of the chain.
    public let byProgress: [[Double]]

    /// - Parameter byProgress: one or more rows of as many weights ≥ 0 each; every row is normalised.
    /// - Throws: `DiffusionError` for no rows, rows of different lengths, or a row without a positive finite sum.
    public init(byProgress: [[Double]]) throws(DiffusionError) {
        guard let count = byProgress.first?.count, count > 0, byProgress.allSatisfy({ $0.count == count }) else {
            throw DiffusionError(
                "weights of a mixture", expected: "rows of one weight for each draft",
                found: "rows of \(byProgress.map(\.count))")
        }
        var rows: [[Double]] = []
        for row in byProgress {
            let total = row.reduce(0, +)
            guard row.allSatisfy({ $0 >= 0 }), total > 0, total.isFinite else {
                throw DiffusionError(
                    "mixture of drafts", expected: "weights ≥ 0 with a positive finite sum", found: "\(row)")
            }
            rows.append(row.map { $0 / total })
        }
        self.byProgress = rows
    }

    public var componentCount: Int { byProgress[0].count }

    /// The weights at step `k` of `K`.
    public func at(step: Int, of stepCount: Int) -> [Double] {
        byProgress[min(byProgress.count - 1, step * byProgress.count / max(1, stepCount))]
    }
}
