#if GLPK
    import CGLPK

    /// Linear programs by the simplex method of the GNU Linear Programming Kit.
    public struct GLPKSolver: LinearProgramSolver {
        public let name = "GLPK"
        /// Beside a row's largest coefficient, 1, no smaller one matters.
        private static let least = 1e-40

        public init() {}

        public func solve(_ program: LinearProgram) throws(CouplingError) -> LinearProgram.Solution {
            let variables = program.objective.count
            let rows = program.constraints.count
            // GLPK aborts the process on malformed input, and where a scale underflows: so everything is checked before, each row
            // is divided by its largest coefficient, and what is then below the last digit of any result is left out.
            var rowIndices: [Int32] = [0]
            var columnIndices: [Int32] = [0]
            var coefficients = [0.0]
            var scales: [Double] = []
            for (index, row) in program.constraints.enumerated() {
                var sums: [Int: Double] = [:]
                for term in row.terms { sums[term.variable, default: 0] += term.coefficient }
                let isSound = sums.allSatisfy { (0..<variables).contains($0.key) && $0.value.isFinite }
                guard isSound, row.bound.isFinite else {
                    throw .solverFailed(
                        solver: name,
                        reason: "row \(index) has a number that is not finite or a variable that does not exist")
                }
                let largest = sums.values.reduce(0) { max($0, abs($1)) }
                let scale = largest > GLPKSolver.least ? largest : 1
                scales.append(scale)
                for (variable, coefficient) in sums where abs(coefficient) / scale > GLPKSolver.least {
                    rowIndices.append(Int32(index + 1))
                    columnIndices.append(Int32(variable + 1))
                    coefficients.append(coefficient / scale)
                }
            }
            guard variables > 0, program.objective.allSatisfy(\.isFinite) else {
                throw .solverFailed(solver: name, reason: "the objective is empty or not finite")
            }
            let problem = glp_create_prob()
            defer { glp_delete_prob(problem) }
            glp_set_obj_dir(problem, Int32(program.sense == .minimise ? GLP_MIN : GLP_MAX))
            glp_add_cols(problem, Int32(variables))
            for (index, cost) in program.objective.enumerated() {
                glp_set_obj_coef(problem, Int32(index + 1), cost)
                glp_set_col_bnds(problem, Int32(index + 1), Int32(GLP_LO), 0, 0)
            }
            if rows > 0 { glp_add_rows(problem, Int32(rows)) }
            for (index, row) in program.constraints.enumerated() {
                let kind =
                    switch row.relation {
                    case .atMost: GLP_UP
                    case .atLeast: GLP_LO
                    case .equal: GLP_FX
                    }
                let bound = row.bound / scales[index]
                glp_set_row_bnds(problem, Int32(index + 1), Int32(kind), bound, bound)
            }
            glp_load_matrix(problem, Int32(coefficients.count - 1), rowIndices, columnIndices, coefficients)
            glp_term_out(Int32(GLP_OFF))
            glp_scale_prob(problem, Int32(GLP_SF_GM | GLP_SF_EQ | GLP_SF_2N))
            var parameters = glp_smcp()
            glp_init_smcp(&parameters)
            parameters.msg_lev = Int32(GLP_MSG_OFF)
            parameters.tol_bnd = 1e-13
            parameters.tol_dj = 1e-13
            // Rounding can make it cycle: ten times as many steps as a program of this size should take end it.
            parameters.it_lim = Int32(clamping: 50 * (rows + variables) + 1000)
            let code = glp_simplex(problem, &parameters)
            let status = glp_get_status(problem)
            guard code == 0, status == Int32(GLP_OPT) else {
                // Of rows that are nearly the same its tolerances make no sense now and then ("unbounded", of a sum of variables
                // ≥ 0); the built-in method tries several perturbations.
                if let solution = try? DenseSimplex().solve(program) { return solution }
                throw .solverFailed(solver: name, reason: GLPKSolver.reason(code: code, status: status))
            }
            return LinearProgram.Solution(
                values: (0..<variables).map { max(0, glp_get_col_prim(problem, Int32($0 + 1))) },
                objective: glp_get_obj_val(problem),
                multipliers: (0..<rows).map { glp_get_row_dual(problem, Int32($0 + 1)) / scales[$0] })
        }

        private static func reason(code: Int32, status: Int32) -> String {
            switch status {
            case Int32(GLP_NOFEAS), Int32(GLP_INFEAS): "the program is infeasible"
            case Int32(GLP_UNBND): "the program is unbounded"
            default: "glp_simplex returned \(code) with status \(status)"
            }
        }
    }
#endif
