/// The hybrid scheme (IW, Appendix B.3): importance weights where few tokens have any probability, a fast baseline
/// elsewhere.
public struct HybridRule<Baseline: FixedResidualRule>: FixedResidualRule {
    /// The rule in use.
    public let rule: any FixedResidualRule

    /// - Parameters:
    ///   - problem: the target and the drafts' laws.
    ///   - smallVocabulary: the effective size, of target or of draft, up to which importance weights are used
    ///     (2 in the paper's experiments).
    ///   - baseline: makes the rule used otherwise, such as K-SEQ or recursive rejection.
    public init(
        _ problem: MultiDraftProblem, smallVocabulary: Int = 2,
        baseline: (MultiDraftProblem) throws(CouplingError) -> Baseline
    ) throws(CouplingError) {
        let sizes = ([problem.target] + problem.drafts).map { law in law.probabilities.filter { $0 > 0 }.count }
        let isSmall = sizes.contains { $0 <= smallVocabulary }
        rule = isSmall ? try ImportanceWeightedRule(problem) : try baseline(problem)
    }

    public var problem: MultiDraftProblem { rule.problem }
    public var isExact: Bool { rule.isExact }
    public var earlyTermination: GlobalResolution.EarlyTermination? { rule.earlyTermination }
    public var residual: FiniteDistribution? { rule.residual }
    public func takingProbabilities(of drafts: [Int]) -> [Double] { rule.takingProbabilities(of: drafts) }
    public func acceptance() throws -> Double { try rule.acceptance() }
}
