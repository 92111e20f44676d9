#if GLPK
    import CGLPK

    /// Linear programs by the simplex method of the GNU Linear Programming Kit.
    public struct GLPKSolver: LinearProgramSolver {
        public let name = "GLPK"

        public init() {}

        public func solve(_ program: LinearProgram) throws(CouplingError) -> LinearProgram.Solution {
            let variables = program.objective.count
            let rows = program.constraints.count
            // GLPK aborts the process on malformed input, so everything is checked before.
            var rowIndices: [Int32] = [0]
            var columnIndices: [Int32] = [0]
            var coefficients = [0.0]
            for (index, row) in program.constraints.enumerated() {
                var sums: [Int: Double] = [:]
                for term in row.terms { sums[term.variable, default: 0] += term.coefficient }
                for (variable, coefficient) in sums {
                    guard (0..<variables).contains(variable), coefficient.isFinite, row.bound.isFinite else {
                        throw .solverFailed(
                            solver: name,
                            reason: "row \(index) has a number that is not finite or a variable that does not exist")
                    }
                    rowIndices.append(Int32(index + 1))
                    columnIndices.append(Int32(variable + 1))
                    coefficients.append(coefficient)
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
                glp_set_row_bnds(problem, Int32(index + 1), Int32(kind), row.bound, row.bound)
            }
            glp_load_matrix(problem, Int32(coefficients.count - 1), rowIndices, columnIndices, coefficients)
            glp_term_out(Int32(GLP_OFF))
            glp_scale_prob(problem, Int32(GLP_SF_GM | GLP_SF_EQ | GLP_SF_2N))
            var parameters = glp_smcp()
            glp_init_smcp(&parameters)
            parameters.msg_lev = Int32(GLP_MSG_OFF)
            parameters.tol_bnd = 1e-13
            parameters.tol_dj = 1e-13
            let code = glp_simplex(problem, &parameters)
            let status = glp_get_status(problem)
            guard code == 0, status == Int32(GLP_OPT) else {
                throw .solverFailed(solver: name, reason: GLPKSolver.reason(code: code, status: status))
            }
            return LinearProgram.Solution(
                values: (0..<variables).map { max(0, glp_get_col_prim(problem, Int32($0 + 1))) },
                objective: glp_get_obj_val(problem),
                multipliers: (0..<rows).map { glp_get_row_dual(problem, Int32($0 + 1)) })
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
