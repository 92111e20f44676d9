import Couplings

/// The two-phase simplex method on a dense tableau (Dantzig 1951; Bland 1977 against cycling), for small linear
/// programs.
///
/// It needs no library, so that every limit and rule works in every build. Programs of thousands of rows are better
/// given to GLPK, see `PreferredSolver`.
public struct DenseSimplex: LinearProgramSolver {
    public let name = "built-in simplex"
    /// The largest tableau, in entries.
    private static let maximumEntries = 2e7
    /// Smaller entries of a column may be rounding alone and make a singular basis.
    private static let pivotTolerance = 1e-9
    private static let costTolerance = 1e-11
    private static let boundTolerance = 1e-12
    private static let feasibilityTolerance = 1e-9
    /// By how much bounds are loosened against degeneracy, one after another until rounding leads to no dead end. Which of them
    /// does is chance: rows may be nearly the same.
    private static let perturbations = [1e-9, 1e-8, 1e-10, 1e-7]

    public init() {}

    public func solve(_ program: LinearProgram) throws(CouplingError) -> LinearProgram.Solution {
        for perturbation in DenseSimplex.perturbations.dropLast() {
            do throws(CouplingError) { return try solve(program, perturbation: perturbation) } catch {
                guard case .solverFailed = error else { throw error }
            }
        }
        return try solve(program, perturbation: DenseSimplex.perturbations.last ?? 0)
    }

    private func solve(
        _ program: LinearProgram, perturbation: Double
    ) throws(CouplingError) -> LinearProgram.Solution {
        var tableau = try Tableau(program, perturbation: perturbation)
        // Phase one drives the artificial variables to zero.
        if tableau.hasArtificials {
            tableau.price(tableau.artificialCosts)
            try tableau.optimise(allowingArtificials: true)
            guard tableau.value <= DenseSimplex.feasibilityTolerance else {
                throw .solverFailed(solver: name, reason: "the program is infeasible")
            }
            tableau.expelArtificials()
        }
        tableau.price(tableau.programCosts)
        // Pivots add up rounding: the tableau is computed anew from the last basis, until that needs no further step.
        for _ in 0..<20 {
            try tableau.optimise(allowingArtificials: false)
            tableau.rebuild()
            tableau.price(tableau.programCosts)
            try tableau.restoreFeasibility()
            if tableau.isOptimal { break }
        }
        guard tableau.isOptimal else {
            throw .solverFailed(solver: name, reason: "rounding keeps it from an optimal basis")
        }
        return tableau.solution(of: program)
    }

    private struct Tableau {
        /// Rows of B⁻¹A | B⁻¹b, one after another.
        private var entries: [Double]
        /// The rows before any pivot.
        private let originalEntries: [Double]
        /// Reduced costs, and minus the objective in the last column.
        private var costs: [Double]
        private var basis: [Int]
        private let rowCount: Int
        private let columnCount: Int
        private let firstArtificial: Int
        /// For each row the column that began as ± its unit vector, and that sign, from which its multiplier is read.
        private let unitColumns: [(column: Int, sign: Double)]
        /// -1 for rows multiplied by -1 to make their bound not negative.
        private let rowSigns: [Double]
        let programCosts: [Double]
        let artificialCosts: [Double]

        var hasArtificials: Bool { firstArtificial < columnCount }
        /// The objective of the costs last priced.
        var value: Double { -costs[columnCount] }

        init(_ program: LinearProgram, perturbation: Double) throws(CouplingError) {
            let variables = program.objective.count
            let rows = program.constraints
            for (index, row) in rows.enumerated() {
                let isSound = row.terms.allSatisfy {
                    (0..<variables).contains($0.variable) && $0.coefficient.isFinite
                }
                guard row.bound.isFinite, isSound else {
                    throw .solverFailed(
                        solver: "built-in simplex",
                        reason: "row \(index) has a number that is not finite or a variable that does not exist")
                }
            }
            rowCount = rows.count
            // A bound of zero from below is turned too: its slack can then begin in the basis.
            let signs = rows.map { $0.bound < 0 || ($0.bound == 0 && $0.relation == .atLeast) ? -1.0 : 1.0 }
            // After the change of sign: +1 a slack, -1 a surplus, 0 an equation.
            let slackSigns = zip(rows, signs).map { row, sign in
                switch row.relation {
                case .atMost: return sign
                case .atLeast: return -sign
                case .equal: return 0
                }
            }
            let slackCount = slackSigns.filter { $0 != 0 }.count
            let artificialCount = slackSigns.filter { $0 <= 0 }.count
            firstArtificial = variables + slackCount
            columnCount = firstArtificial + artificialCount
            let size = Double(rowCount) * Double(columnCount + 1)
            guard size <= DenseSimplex.maximumEntries else {
                throw .problemTooLarge(
                    what: "the built-in simplex tableau", size: size, limit: DenseSimplex.maximumEntries)
            }
            rowSigns = signs
            entries = Array(repeating: 0, count: rowCount * (columnCount + 1))
            basis = Array(repeating: 0, count: rowCount)
            var unitColumns: [(column: Int, sign: Double)] = []
            var slack = variables
            var artificial = firstArtificial
            for (index, row) in rows.enumerated() {
                let start = index * (columnCount + 1)
                for term in row.terms { entries[start + term.variable] += signs[index] * term.coefficient }
                entries[start + columnCount] = signs[index] * row.bound
                if slackSigns[index] != 0 {
                    entries[start + slack] = slackSigns[index]
                    unitColumns.append((slack, slackSigns[index]))
                    basis[index] = slack
                    slack += 1
                }
                if slackSigns[index] <= 0 {
                    entries[start + artificial] = 1
                    if slackSigns[index] == 0 { unitColumns.append((artificial, 1)) }
                    basis[index] = artificial
                    artificial += 1
                }
            }
            originalEntries = entries
            self.unitColumns = unitColumns
            // Against degeneracy: bounds are loosened by tiny different amounts, until the tableau is first computed
            // anew.
            var noise = RandomSource(seed: 0).stream(sample: 0, step: 0, purpose: .auxiliary)
            for (index, sign) in slackSigns.enumerated() where sign > 0 {
                entries[index * (columnCount + 1) + columnCount] += perturbation * (0.5 + noise.uniform())
            }
            let direction = program.sense == .minimise ? 1.0 : -1.0
            let width = columnCount
            let firstArtificial = firstArtificial
            programCosts = program.objective.map { $0 * direction } + Array(repeating: 0, count: width - variables)
            artificialCosts = (0..<width).map { $0 >= firstArtificial ? 1 : 0 }
            costs = []
        }

        /// Sets the reduced costs of the current basis.
        mutating func price(_ prices: [Double]) {
            costs = prices + [0]
            for row in 0..<rowCount where prices[basis[row]] != 0 {
                let factor = prices[basis[row]]
                for column in 0...columnCount { costs[column] -= factor * entries[row * (columnCount + 1) + column] }
            }
        }

        mutating func optimise(allowingArtificials: Bool) throws(CouplingError) {
            let eligible = allowingArtificials ? columnCount : firstArtificial
            let limit = 200 * (rowCount + columnCount) + 1000
            var stalled = 0
            for _ in 0..<limit {
                // Dantzig's rule; Bland's after a run of steps without progress.
                var entering = -1
                var least = -DenseSimplex.costTolerance
                for column in 0..<eligible where costs[column] < least {
                    entering = column
                    if stalled > 50 { break }
                    least = costs[column]
                }
                if entering < 0 { return }
                guard let leaving = leavingRow(for: entering, byIndex: stalled > 50) else {
                    // A column of rounding alone: nothing to gain from it.
                    if costs[entering] > -1e-7 {
                        costs[entering] = 0
                        continue
                    }
                    throw .solverFailed(solver: "built-in simplex", reason: "the program is unbounded")
                }
                stalled = entries[leaving * (columnCount + 1) + columnCount] > 1e-14 ? 0 : stalled + 1
                pivot(row: leaving, column: entering)
            }
            throw .solverFailed(solver: "built-in simplex", reason: "no optimum after \(limit) pivots")
        }

        /// Whether no column but the artificial ones would enter, and no variable is negative.
        var isOptimal: Bool {
            !(0..<firstArtificial).contains { costs[$0] < -DenseSimplex.costTolerance }
                && !(0..<rowCount).contains {
                    entries[$0 * (columnCount + 1) + columnCount] < -DenseSimplex.boundTolerance
                }
        }

        /// Dual simplex steps for what rounding has made negative in an otherwise optimal basis.
        mutating func restoreFeasibility() throws(CouplingError) {
            let width = columnCount + 1
            for _ in 0..<(10 * rowCount) {
                guard
                    let leaving = (0..<rowCount).min(by: {
                        entries[$0 * width + columnCount] < entries[$1 * width + columnCount]
                    }), entries[leaving * width + columnCount] < -DenseSimplex.boundTolerance
                else { return }
                let eligible = (0..<firstArtificial).filter {
                    entries[leaving * width + $0] < -DenseSimplex.pivotTolerance
                }
                guard
                    let entering = eligible.min(by: {
                        max(0, costs[$0]) / -entries[leaving * width + $0] < max(0, costs[$1]) / -entries[
                            leaving * width + $1]
                    })
                else { return }
                pivot(row: leaving, column: entering)
            }
        }

        /// Recomputes the rows from the original ones by elimination with the present basis.
        mutating func rebuild() {
            entries = originalEntries
            let columns = basis
            var isFree = Array(repeating: true, count: rowCount)
            for column in columns {
                let free = (0..<rowCount).filter { isFree[$0] }
                guard
                    let row = free.max(by: {
                        abs(entries[$0 * (columnCount + 1) + column]) < abs(entries[$1 * (columnCount + 1) + column])
                    })
                else { return }
                pivot(row: row, column: column)
                isFree[row] = false
            }
        }

        /// The row that bounds the step (Harris 1973): of the rows that would stop it within a tolerance, the one
        /// with the largest pivot; or Bland's.
        private func leavingRow(for column: Int, byIndex: Bool) -> Int? {
            let width = columnCount + 1
            let candidates = (0..<rowCount).filter { entries[$0 * width + column] > DenseSimplex.pivotTolerance }
            func ratio(_ row: Int, _ slack: Double) -> Double {
                (max(0, entries[row * width + columnCount]) + slack) / entries[row * width + column]
            }
            let longest = candidates.reduce(Double.infinity) { min($0, ratio($1, DenseSimplex.boundTolerance)) }
            let stopping = candidates.filter { ratio($0, 0) <= longest }
            return byIndex
                ? stopping.min { ratio($0, 0) != ratio($1, 0) ? ratio($0, 0) < ratio($1, 0) : basis[$0] < basis[$1] }
                : stopping.max { entries[$0 * width + column] < entries[$1 * width + column] }
        }

        /// Replaces artificial variables that remain in the basis at zero where any other variable can stand in.
        mutating func expelArtificials() {
            for row in 0..<rowCount where basis[row] >= firstArtificial {
                let start = row * (columnCount + 1)
                let candidate = (0..<firstArtificial).max { abs(entries[start + $0]) < abs(entries[start + $1]) }
                if let candidate, abs(entries[start + candidate]) > 1e-9 { pivot(row: row, column: candidate) }
            }
        }

        private mutating func pivot(row: Int, column: Int) {
            let width = columnCount + 1
            basis[row] = column
            entries.withUnsafeMutableBufferPointer { table in
                let start = row * width
                let inverse = 1 / table[start + column]
                for k in 0..<width { table[start + k] *= inverse }
                table[start + column] = 1
                for other in 0..<rowCount where other != row {
                    let factor = table[other * width + column]
                    guard factor != 0 else { continue }
                    let begin = other * width
                    for k in 0..<width { table[begin + k] -= factor * table[start + k] }
                    table[begin + column] = 0
                }
                let factor = costs[column]
                if factor != 0 { for k in 0..<width { costs[k] -= factor * table[start + k] } }
                costs[column] = 0
            }
        }

        func solution(of program: LinearProgram) -> LinearProgram.Solution {
            var values = Array(repeating: 0.0, count: program.objective.count)
            for row in 0..<rowCount where basis[row] < values.count {
                values[basis[row]] = max(0, entries[row * (columnCount + 1) + columnCount])
            }
            let direction = program.sense == .minimise ? 1.0 : -1.0
            let multipliers = unitColumns.enumerated().map { row, unit in
                -costs[unit.column] * unit.sign * rowSigns[row] * direction
            }
            return LinearProgram.Solution(
                values: values, objective: zip(program.objective, values).reduce(0) { $0 + $1.0 * $1.1 },
                multipliers: multipliers)
        }
    }
}
