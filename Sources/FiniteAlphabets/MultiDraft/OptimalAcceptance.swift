import Platform

/// Theorem 3.1 (GR, Section 3.2; Hu et al. 2025): the optimal acceptance of n independent drafts,
/// α* = 1 + min_H ψ(H), ψ(H) = q(H) - ∏_k p_k(H). For n = 2 this is Theorem 3 of IW.
public struct OptimalAcceptance: Sendable {
    /// α*, the most any rule whose output follows q can accept.
    public let value: Double
    /// Membership of the minimising set H*, one entry for each token.
    public let isInMinimiser: [Bool]

    /// The optimum for any problem: a prefix for identical drafts, else by enumerating the subsets of a small
    /// vocabulary.
    /// - Throws: `CouplingError.problemTooLarge` for different drafts on more than 20 tokens; `MaxFlowTransport`
    ///   finds the optimum of somewhat larger ones.
    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        if problem.isIdentical {
            self.init(target: problem.target, draft: problem.drafts[0], count: problem.draftCount)
        } else {
            try self.init(enumerating: problem)
        }
    }

    /// The same value for n = 1 is the maximal coupling's 1 - D_TV.
    ///
    /// For i.i.d. drafts some H* is a prefix of the tokens by decreasing p/q (GR, Section 5.1).
    /// - Complexity: O(V log V).
    private init(target: FiniteDistribution, draft: FiniteDistribution, count: Int) {
        let q = target.probabilities
        let p = draft.probabilities
        let order = LikelihoodOrder.decreasing(numerator: p, denominator: q)
        var best = 0.0
        var bestLength = 0
        var targetMass = 0.0
        var draftMass = 0.0
        for (position, token) in order.enumerated() {
            targetMass += q[token]
            draftMass += p[token]
            let value = targetMass - pow(draftMass, Double(count))
            if value < best - 1e-15 { (best, bestLength) = (value, position + 1) }
        }
        var member = Array(repeating: false, count: q.count)
        for token in order.prefix(bestLength) { member[token] = true }
        value = min(1, max(0, 1 + best))
        isInMinimiser = member
    }

    /// Every subset H in turn, in Gray-code order so that each differs from the last by one token. A token without mass in the
    /// target is in H at no cost, one that is never drafted is not: only the others are tried.
    private init(enumerating problem: MultiDraftProblem) throws(CouplingError) {
        let drafted = (0..<problem.vocabularySize).filter { token in problem.drafts.contains { $0[token] > 0 } }
        let free = drafted.filter { problem.target[$0] > 0 }
        guard free.count <= 20 else {
            throw .problemTooLarge(
                what: "enumerating the subsets of the vocabulary", size: pow(2, Double(free.count)), limit: pow(2, 20))
        }
        var member = Array(repeating: false, count: problem.vocabularySize)
        for token in drafted where problem.target[token] == 0 { member[token] = true }
        var draftMasses = problem.drafts.map { draft in drafted.reduce(0) { $0 + (member[$1] ? draft[$1] : 0) } }
        var best = min(0, -draftMasses.reduce(1, *))
        var bestSet = 0
        var targetMass = 0.0
        for step in 1..<(1 << free.count) {
            let gray = step ^ (step >> 1)
            let bit = step.trailingZeroBitCount
            let sign = gray & (1 << bit) == 0 ? -1.0 : 1.0
            targetMass += sign * problem.target[free[bit]]
            for k in draftMasses.indices { draftMasses[k] += sign * problem.drafts[k][free[bit]] }
            let value = targetMass - draftMasses.reduce(1, *)
            if value < best - 1e-15 { (best, bestSet) = (value, gray) }
        }
        for (bit, token) in free.enumerated() where bestSet & (1 << bit) != 0 { member[token] = true }
        value = min(1, max(0, 1 + best))
        isInMinimiser = member
    }
}
