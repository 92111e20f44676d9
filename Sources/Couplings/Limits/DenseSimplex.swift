/// The two-phase simplex method on a dense tableau (Dantzig 1951; Bland 1977 against cycling), for small linear programs.
///
/// It needs no library, so that every limit and rule works in every build. Programs of thousands of rows are better given to the solver of the
/// LinearProgramming module.
public struct DenseSimplex: LinearProgramSolver {
    public let name = "built-in simplex"
    /// The largest tableau, in entries.
    private static let maximumEntries = 2e7
    private static let pivotTolerance = 1e-11
    private static let feasibilityTolerance = 1e-9

    public init() {}

    public func solve(_ program: LinearProgram) throws(CouplingError) -> LinearProgram.Solution {
        var tableau = try Tableau(program)
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
        try tableau.optimise(allowingArtificials: false)
        return tableau.solution(of: program)
    }

    private struct Tableau {
        /// Rows of B⁻¹A | B⁻¹b, one after another.
        private var entries: [Double]
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

        init(_ program: LinearProgram) throws(CouplingError) {
            let variables = program.objective.count
            let rows = program.constraints
            for (index, row) in rows.enumerated() {
                guard row.bound.isFinite, row.terms.allSatisfy({
                    (0..<variables).contains($0.variable) && $0.coefficient.isFinite
                }) else {
                    throw .solverFailed(solver: "built-in simplex", reason: "row \(index) has a number that is not finite or a variable that does not exist")
                }
            }
            rowCount = rows.count
            let signs = rows.map { $0.bound < 0 ? -1.0 : 1.0 }
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
            var slack = variables, artificial = firstArtificial
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
            self.unitColumns = unitColumns
            let direction = program.sense == .minimise ? 1.0 : -1.0
            let width = columnCount, firstArtificial = firstArtificial
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
                var least = -DenseSimplex.pivotTolerance
                for column in 0..<eligible where costs[column] < least {
                    entering = column
                    if stalled > 50 { break }
                    least = costs[column]
                }
                if entering < 0 { return }
                var leaving = -1
                var ratio = Double.infinity
                for row in 0..<rowCount {
                    let coefficient = entries[row * (columnCount + 1) + entering]
                    guard coefficient > DenseSimplex.pivotTolerance else { continue }
                    let candidate = max(0, entries[row * (columnCount + 1) + columnCount]) / coefficient
                    if candidate < ratio || (candidate == ratio && basis[row] < basis[leaving]) {
                        (leaving, ratio) = (row, candidate)
                    }
                }
                guard leaving >= 0 else {
                    throw .solverFailed(solver: "built-in simplex", reason: "the program is unbounded")
                }
                stalled = ratio > 1e-14 ? 0 : stalled + 1
                pivot(row: leaving, column: entering)
            }
            throw .solverFailed(solver: "built-in simplex", reason: "no optimum after \(limit) pivots")
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
                for k in 0..<width { costs[k] -= factor * table[start + k] }
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
