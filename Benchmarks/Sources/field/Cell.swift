import Diffusion
import Foundation

/// What a method has cost on a model.
struct Cell {
    static let workers = [1, 8, 64]

    let steps: Int
    let method: Method
    let calls, windows, rows: Mean
    let count: Int
    /// Predicted, of a sample, for each number of workers.
    let seconds: [Double]

    /// - Parameters:
    ///   - calls: rows of every call, sample by sample.
    ///   - overhead: what drafting and verifying took for all samples, a draft's own network with it.
    init(
        _ method: Method, steps: Int, costs: [CountedCost], calls: [[Int]], overhead: Double, times: CallSeconds
    ) throws {
        // The chain's record and the samplers' account are two ways of counting the same.
        guard costs.map(\.calls) == calls.map(\.count) else {
            throw DiffusionError(
                "calls of \(method.name)", expected: "\(costs.map(\.calls))", found: "\(calls.map(\.count))")
        }
        (self.method, self.steps, count) = (method, steps, costs.count)
        self.calls = Mean(costs.map { Double($0.calls) })
        windows = Mean(costs.map { Double($0.windows) })
        rows = Mean(costs.map { Double($0.rows) })
        seconds = Self.workers.map { workers in
            // A worker gets its share of a call's rows.
            let target = calls.joined().reduce(0) { $0 + times(rows: 1 + ($1 - 1) / workers) }
            return (target + overhead) / Double(costs.count)
        }
    }

    static let head =
        "| K | method | L | samples | calls | windows | rows | "
        + workers.map { "seconds, \($0)" }.joined(separator: " | ") + " | front |\n"
        + "|" + String(repeating: "---|", count: 8 + workers.count)

    func line(isOnFront: Bool) -> String {
        let numbers = [text(calls, 1), method.window == nil ? "–" : text(windows, 1), text(rows, 0)]
        return "| \(steps) | \(method.name) | \(method.window.map { "\($0)" } ?? "–") | \(count) | "
            + (numbers + seconds.map { String(format: "%.3g", $0) }).joined(separator: " | ")
            + " | \(isOnFront ? "•" : "") |"
    }

    private func text(_ mean: Mean, _ digits: Int) -> String {
        count > 1 ? mean.text(digits) : String(format: "%.\(digits)f", mean.value)
    }

    /// Of some cells those that no other has fewer calls than at no more rows, by rising rows.
    static func front(_ cells: [Cell]) -> [Cell] {
        var front: [Cell] = []
        for cell in cells.sorted(by: { ($0.rows.value, $0.calls.value) < ($1.rows.value, $1.calls.value) })
        where cell.calls.value < front.last?.calls.value ?? .infinity { front.append(cell) }
        return front
    }
}
