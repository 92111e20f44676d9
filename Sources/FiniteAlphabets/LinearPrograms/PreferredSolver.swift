/// The linear-programming solver of this build.
public enum PreferredSolver {
    /// GLPK where the package was built with the trait of that name, else the simplex built in, which is
    /// fine for hundreds of rows.
    public static func make() -> any LinearProgramSolver {
        #if GLPK
            return GLPKSolver()
        #else
            return DenseSimplex()
        #endif
    }
}
