/// What the couplings' own parameters are.
public struct CouplingParameters: Codable, Sendable {
    /// τ of global resolution.
    public var tolerance: Double
    /// s of the importance weights over a truncated alphabet or vocabulary.
    public var freeTokens: Int
    /// The tokens of target and draft that a truncated vocabulary holds, the likeliest of each.
    public var likeliest: Int
    /// ε of the low-communication coupling.
    public var precision: Double

    public init(tolerance: Double = 1e-4, freeTokens: Int = 64, likeliest: Int = 20, precision: Double = 1e-3) {
        (self.tolerance, self.freeTokens, self.likeliest) = (tolerance, freeTokens, likeliest)
        self.precision = precision
    }

    /// The rule for several drafts; nil for the couplings of two parties without common knowledge, which look at one
    /// draft alone.
    /// - Throws: `CouplingError` as the rule does: for parameters out of range, for drafts that it has no law for, for problems too large
    ///   for it.
    public func multiDraftRule(
        _ rule: CouplingRule, _ problem: MultiDraftProblem
    ) throws(CouplingError) -> (any MultiDraftRule)? {
        switch rule {
        case .gumbel, .minhash, .lowCommunication: nil
        case .maximal, .naive: try NaiveRule(problem)
        case .kseq: try KSequentialRule(problem)
        case .specinfer:
            problem.dependence == .independent ? try RecursiveRejectionRule(problem) : DependentRejectionRule(problem)
        case .importance: try ImportanceWeightedRule(problem)
        case .importanceTruncated: try ImportanceWeightedRule(problem, method: .truncated(freeTokens: freeTokens))
        case .importanceVocabulary:
            try ImportanceWeightedRule(
                problem, method: .truncatedVocabulary(likeliest: likeliest, freeTokens: freeTokens))
        case .hybrid:
            try HybridRule(problem) { problem throws(CouplingError) in try RecursiveRejectionRule(problem) }
        case .linearProgram: try LinearProgramTransport(problem, solver: PreferredSolver.make())
        case .greedy: try GreedyDraftsRule(problem)
        case .maxFlow: try MaxFlowTransport(problem)
        case .canonical: try CanonicalDecomposition(problem)
        case .globalResolution: try GlobalResolution(problem, configuration: .init(tolerance: tolerance))
        }
    }
}
