/// `c(r)`: what a call of `r` rows costs, relative to a call of one row per sample.
public struct CallCost: Sendable {
    private enum Shape: Sendable {
        case perRow(Double)
        case workers(Int)
        case measured([(rows: Int, seconds: Double)])
    }

    private let shape: Shape
    private let lanes: Int

    private init(_ shape: Shape, lanes: Int = 1) {
        self.shape = shape
        self.lanes = lanes
    }

    /// `c(r) = 1 + price (r - 1)`: 0 where rows are free, 1 where a call takes as long as its rows one by one.
    /// - Throws: `DiffusionError` unless the price is finite and at least 0.
    public static func perRow(_ price: Double) throws(DiffusionError) -> CallCost {
        guard price >= 0, price.isFinite else {
            throw DiffusionError("price of a row", expected: "a finite number ≥ 0", found: "\(price)")
        }
        return CallCost(.perRow(price))
    }

    /// `c(r) = ⌈r/P⌉`: workers that each take one row at a time.
    /// - Throws: `DiffusionError` for less than one worker.
    public static func workers(_ count: Int) throws(DiffusionError) -> CallCost {
        guard count >= 1 else { throw DiffusionError("workers", expected: "a number ≥ 1", found: "\(count)") }
        return CallCost(.workers(count))
    }

    /// Through measured times, linear between them and beyond the last two; a larger call never costs less.
    /// - Parameter times: seconds of calls, by ascending numbers of rows from 1 on; two at least.
    /// - Throws: `DiffusionError` for times that aren't so.
    public static func measured(_ times: [(rows: Int, seconds: Double)]) throws(DiffusionError) -> CallCost {
        let ascending = zip(times, times.dropFirst()).allSatisfy { $0.rows < $1.rows }
        guard times.count >= 2, times[0].rows == 1, ascending,
            times.allSatisfy({ $0.seconds > 0 && $0.seconds.isFinite })
        else {
            throw DiffusionError(
                "times of calls", expected: "positive seconds for at least two ascending numbers of rows from 1 on",
                found: "\(times)")
        }
        var longest = 0.0
        return CallCost(
            .measured(
                times.map {
                    longest = max(longest, $0.seconds)
                    return ($0.rows, longest)
                }))
    }

    /// The cost where every call carries the rows of so many samples, relative to one row of each.
    public func inLanes(_ count: Int) -> CallCost {
        precondition(count >= 1, "at least one lane")
        return CallCost(shape, lanes: count)
    }

    /// `c(r)` for `r ≥ 1` rows of each sample.
    public func callAsFunction(rows: Int) -> Double { absolute(rows * lanes) / absolute(lanes) }

    private func absolute(_ rows: Int) -> Double {
        switch shape {
        case .perRow(let price): return 1 + price * Double(rows - 1)
        case .workers(let count): return Double((rows + count - 1) / count)
        case .measured(let times):
            let upper = min(max(times.firstIndex { $0.rows >= rows } ?? times.count - 1, 1), times.count - 1)
            let (a, b) = (times[upper - 1], times[upper])
            return a.seconds + (b.seconds - a.seconds) * Double(rows - a.rows) / Double(b.rows - a.rows)
        }
    }
}
