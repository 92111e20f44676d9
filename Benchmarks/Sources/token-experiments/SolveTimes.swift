import Couplings
import FiniteAlphabets
import Imaging

/// GR, Tables 1 to 3 and Figure 5: what the optimal transport costs by each solver, and what acceptance a limit of time leaves.
struct SolveTimes {
    let laws: RecordedLaws

    private struct Solver {
        let name: String
        let make: (MultiDraftProblem) throws -> any MultiDraftRule
    }

    /// One solver's runs at one (k, n).
    private struct Cell {
        var milliseconds: [Double] = []
        var acceptances: [Double] = []
        var failures = 0
        var isTooLarge = false

        var mean: Double { milliseconds.reduce(0, +) / Double(max(1, milliseconds.count)) }
        var success: Double { 1 - Double(failures) / Double(max(1, milliseconds.count)) }
    }

    private let solvers = [
        Solver(name: "linear program") { try LinearProgramTransport($0, solver: PreferredSolver.make()) },
        Solver(name: "max-flow") { try MaxFlowTransport($0, network: .whole) },
        Solver(name: "reduced max-flow") { try MaxFlowTransport($0, network: .reduced) },
        Solver(name: "global resolution, τ 1e-3") { try GlobalResolution($0, configuration: .init(tolerance: 1e-3)) },
        Solver(name: "global resolution, τ 1e-4") { try GlobalResolution($0, configuration: .init(tolerance: 1e-4)) },
    ]
    /// Milliseconds that one cell may take; what is slower is measured on fewer laws, three at least.
    private static let budget = 15_000.0
    /// Milliseconds of one problem above which a solver's larger problems are not tried.
    private static let longest = 20_000.0

    private func measure(_ solver: Solver, topK: Int, drafts: Int, temperature: Double = 1) throws -> Cell {
        var cell = Cell()
        var spent = 0.0
        for law in 0..<laws.count where spent < Self.budget || cell.milliseconds.count < 3 {
            let problem = try laws.problem(law, temperature: temperature, topK: topK, drafts: drafts)
            var made: (any MultiDraftRule)?
            do {
                let taken = try milliseconds { made = try solver.make(problem) }
                spent += taken
                cell.milliseconds.append(taken)
            } catch CouplingError.problemTooLarge {
                cell.isTooLarge = true
                return cell
            }
            if made?.earlyTermination != nil { cell.failures += 1 }
            if let acceptance = try? made?.acceptance() { cell.acceptances.append(acceptance) }
            if spent > Self.longest && cell.milliseconds.count == 1 { return cell }
        }
        return cell
    }

    private func text(_ cell: Cell?) -> String {
        guard let cell, !cell.isTooLarge || !cell.milliseconds.isEmpty else { return "too large" }
        let time = cell.mean < 10 ? number(cell.mean, 2) : number(cell.mean, 0)
        return time + (cell.failures > 0 ? " (\(number(100 * cell.success, 0)) %)" : "")
    }

    func write(to folder: String) throws -> String {
        let sizes = [(10, 2), (10, 3), (10, 4), (10, 5), (100, 2), (100, 3), (1000, 2)]
            .filter { $0.0 <= laws.vocabularySize }
        var cells: [String: Cell] = [:]
        var slow: Set<String> = []
        var lines = [
            "| (k, n) | " + solvers.map(\.name).joined(separator: " | ") + " |",
            "|---|" + String(repeating: "---|", count: solvers.count),
        ]
        for (k, n) in sizes {
            var row = "| (\(k), \(n)) |"
            for solver in solvers {
                if slow.contains(solver.name), k > 10 { row += " not tried |"; continue }
                let cell = try measure(solver, topK: k, drafts: n)
                if cell.mean > Self.longest || cell.isTooLarge && k == 10 { slow.insert(solver.name) }
                cells["\(solver.name) \(k) \(n)"] = cell
                row += " \(text(cell)) |"
            }
            lines.append(row)
            report("(k, n) = (\(k), \(n)) done")
        }
        return """
            ## What the transport costs (GR, Tables 1 to 3)

            Milliseconds a token, the mean over up to \(laws.count) laws on one thread, in brackets how often global resolution ended without
            falling back to another rule:

            \(lines.joined(separator: "\n"))

            The best acceptance where a token may take so long in the mean, over the same (k, n):

            \(limits(cells, sizes))

            \(try temperatures(folder))
            """
    }

    /// Table 2.
    private func limits(_ cells: [String: Cell], _ sizes: [(Int, Int)]) -> String {
        var lines = [
            "| limit | " + solvers.map(\.name).joined(separator: " | ") + " |",
            "|---|" + String(repeating: "---|", count: solvers.count),
        ]
        for limit in [1.0, 10, 100] {
            let best = solvers.map { solver -> String in
                let admitted = sizes.compactMap { k, n -> (Double, String)? in
                    guard let cell = cells["\(solver.name) \(k) \(n)"], !cell.isTooLarge, cell.mean <= limit,
                        cell.acceptances.count == laws.count
                    else { return nil }
                    return (Mean(cell.acceptances).value, "(\(k), \(n))")
                }
                return admitted.max { $0.0 < $1.0 }.map { "\(number(100 * $0.0, 2)) % at \($0.1)" } ?? "none"
            }
            lines.append("| \(number(limit, 0)) ms | " + best.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    /// Figure 5: time and failures of global resolution by temperature.
    private func temperatures(_ folder: String) throws -> String {
        let resolution = solvers[solvers.count - 1]
        let temperatures = [0.2, 0.4, 0.6, 0.8, 1]
        let sizes = [(10, 2), (10, 4), (100, 2), (100, 3), (1000, 2)].filter { $0.0 <= laws.vocabularySize }
        var (times, lines) = ([Figure.Series](), [String]())
        for (index, (k, n)) in sizes.enumerated() {
            let cells = try temperatures.map { try measure(resolution, topK: k, drafts: n, temperature: $0) }
            times.append(
                Figure.Series(
                    "(\(k), \(n))",
                    zip(temperatures, cells).map { .init($0, $1.mean, error: Mean($1.milliseconds).error) },
                    paint: .series(index)))
            lines.append("| (\(k), \(n)) | " + cells.map(text).joined(separator: " | ") + " |")
            report("temperatures of (\(k), \(n)) done")
        }
        try Figure(
            "Global resolution, τ 1e-4, by the target's temperature", note: "\(laws.count) laws, one thread",
            x: .init("temperature"), y: .init("time a token", unit: "ms", isLogarithmic: true), series: times
        ).image().writePNG(to: folder + "/temperatures.png")
        let titles = temperatures.map { "T \(number($0, 1))" }.joined(separator: " | ")
        return """
            Global resolution at τ 1e-4 by the target's temperature (Figure 5), milliseconds and successes:

            | (k, n) | \(titles) |
            |---|\(String(repeating: "---|", count: temperatures.count))
            \(lines.joined(separator: "\n"))

            ![Time of global resolution by temperature](temperatures.png)
            """
    }
}
