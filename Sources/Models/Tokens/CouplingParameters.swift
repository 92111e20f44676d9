import FiniteAlphabets

/// What the couplings' own parameters are.
public struct CouplingParameters: Codable, Sendable {
    /// τ of global resolution.
    public var tolerance: Double
    /// s of the truncated importance weights.
    public var freeTokens: Int
    /// ε of the low-communication coupling.
    public var precision: Double

    public init(tolerance: Double = 1e-4, freeTokens: Int = 64, precision: Double = 1e-3) {
        (self.tolerance, self.freeTokens, self.precision) = (tolerance, freeTokens, precision)
    }

    /// - Throws: `RecipeError`, before any file is read.
    public func check() throws(RecipeError) {
        try GlobalResolution.tolerances.check(tolerance, setting: "tolerance")
        try ImportanceWeightedRule.freeTokenCounts.check(Double(freeTokens), setting: "free-tokens")
        try DistributionDiscretization.precisions.check(precision, setting: "precision")
    }

    /// The rule for several drafts; nil for the couplings of two parties without common knowledge, which look at one
    /// draft alone.
    public func multiDraftRule(_ rule: CouplingRule, _ problem: MultiDraftProblem) throws -> (any MultiDraftRule)? {
        switch rule {
        case .gumbel, .minhash, .lowCommunication: nil
        case .maximal, .naive: try NaiveRule(problem)
        case .kseq: try KSequentialRule(problem)
        case .specinfer: try RecursiveRejectionRule(problem)
        case .importance: try ImportanceWeightedRule(problem)
        case .importanceTruncated: try ImportanceWeightedRule(problem, method: .truncated(freeTokens: freeTokens))
        case .linearProgram: try LinearProgramTransport(problem, solver: PreferredSolver.make())
        case .maxFlow: try MaxFlowTransport(problem)
        case .globalResolution: try GlobalResolution(problem, configuration: .init(tolerance: tolerance))
        }
    }
}

extension ParameterRange {
    /// Asks the library's range about a setting of the command line.
    package func check(_ value: Double, setting: String) throws(RecipeError) {
        guard contains(value) else {
            let found = Int(exactly: value).map(String.init) ?? "\(value)"
            throw RecipeError(setting, "must be \(expected), found \(found).")
        }
    }
}
