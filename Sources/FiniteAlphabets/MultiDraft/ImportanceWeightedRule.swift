/// Importance-weighted multi-draft speculative sampling (IW, Theorem 1 and Appendix B).
///
/// First an importance-weighted choice of one of the drafts, Y ~ p_I; then single-draft speculative sampling of Y
/// against q. For two drafts and all weights free this is optimal. More drafts are grouped in twos (Remark 2): the
/// choice from X_1, X_2 meets X_3, and so on, which is exact and no longer optimal.
public struct ImportanceWeightedRule: FixedResidualRule {
    /// How many weights are optimised; the others are set by order.
    public enum Method: Equatable, Sendable {
        /// All of them, for the pairs of tokens that both the target and a draft have.
        case exact
        /// Algorithm 1: those of the s such tokens with the largest q_i - p_i².
        case truncated(freeTokens: Int)
        /// Algorithm 2: those of the tokens among the `likeliest` of q or of p, at most s of them.
        case truncatedVocabulary(likeliest: Int, freeTokens: Int)
    }

    /// What s may be.
    public static let freeTokenCounts = ParameterRange("the number of free tokens", "at least 0") { $0 >= 0 }
    /// What the number of likeliest tokens may be.
    public static let likeliestCounts = ParameterRange("the number of likeliest tokens", "at least 0") { $0 >= 0 }

    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    private let stages: [PairSelection]
    private let verification: MaximalCoupling

    /// - Throws: `CouplingError.draftsDependent`; `.problemTooLarge` where the weights to optimise exceed a million,
    ///   `.parameterOutOfRange` for a negative count of tokens.
    public init(_ problem: MultiDraftProblem, method: Method = .exact) throws(CouplingError) {
        let scope = try method.scope()
        var stages: [PairSelection] = []
        let drafts = try problem.independentDrafts(for: "importance")
        var chosenLaw = drafts[0]
        for draft in drafts.dropFirst() {
            let stage = try PairSelection(target: problem.target, first: chosenLaw, second: draft, scope: scope)
            stages.append(stage)
            chosenLaw = stage.chosenLaw
        }
        self.problem = problem
        self.stages = stages
        verification = try MaximalCoupling(draft: chosenLaw, target: problem.target)
    }

    /// p_I, the law of the draft chosen.
    public var chosenLaw: FiniteDistribution { verification.draft }

    public var residual: FiniteDistribution? { verification.residual }

    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        // P(Y = the draft at each position), stage by stage; then the chance that it survives verification.
        var chosen = Array(repeating: 0.0, count: drafts.count)
        chosen[0] = 1
        for (index, stage) in stages.enumerated() {
            let next = index + 1
            for position in 0..<next where chosen[position] > 0 {
                let keep = stage.probabilityOfFirst(drafts[position], drafts[next])
                chosen[next] += chosen[position] * (1 - keep)
                chosen[position] *= keep
            }
        }
        return zip(drafts, chosen).map { verification.acceptance(of: $0) * $1 }
    }

    /// Σ min(q_i, p_I(i)).
    public func acceptance() -> Double { verification.matchProbability }
}

extension ImportanceWeightedRule.Method {
    fileprivate func scope() throws(CouplingError) -> PairSelection.Scope {
        switch self {
        case .exact:
            return .all
        case .truncated(let freeTokens):
            try ImportanceWeightedRule.freeTokenCounts.check(Double(freeTokens))
            return .truncated(freeTokens: freeTokens)
        case .truncatedVocabulary(let likeliest, let freeTokens):
            try ImportanceWeightedRule.likeliestCounts.check(Double(likeliest))
            try ImportanceWeightedRule.freeTokenCounts.check(Double(freeTokens))
            return .truncatedVocabulary(likeliest: likeliest, freeTokens: freeTokens)
        }
    }
}
