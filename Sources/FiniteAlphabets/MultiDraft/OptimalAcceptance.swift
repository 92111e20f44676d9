import Platform

/// Theorem 3.1 (GR, Section 3.2; Hu et al. 2025): the optimal acceptance of n drafts, α* = 1 + min_H ψ(H), ψ(H) = q(H) - Q(H),
/// with Q(H) the probability that all drafts are in H: ∏_k p_k(H) for independent ones. For n = 2 this is Theorem 3 of IW.
public struct OptimalAcceptance: Sendable {
    /// α*, the most any rule whose output follows q can accept.
    public let value: Double
    /// Membership of the minimising set H*, one entry for each token.
    public let isInMinimiser: [Bool]

    /// The optimum for any problem: a prefix of an order for identical drafts, a closed form where all drafts but one are certain,
    /// a least cut for two different ones (GR, Appendix D), the subsets of a small vocabulary for more, and the network of all
    /// draft sets for drafts that depend on each other.
    /// - Throws: `CouplingError.problemTooLarge` for three or more different drafts on more than 20 tokens, of which `MaxFlowTransport`
    ///   finds the optimum where it can enumerate their sets; and where dependent drafts can form too many sets.
    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        if problem.isIdentical {
            self.init(target: problem.target, draft: problem.drafts[0], count: problem.draftCount)
        } else if problem.dependence != .independent {
            try self.init(network: problem)
        } else if let (drawn, certain) = GreedyDraftsRule.shape(of: problem.drafts) {
            self.init(target: problem.target, drawn: drawn, certain: certain, drafts: problem.drafts)
        } else if problem.draftCount == 2 {
            try self.init(cut: problem)
        } else {
            try self.init(enumerating: problem)
        }
    }

    /// Whether H* is found without the network of all draft sets.
    static func isDirect(for problem: MultiDraftProblem) -> Bool {
        problem.isIdentical
            || problem.dependence == .independent
                && (problem.draftCount == 2 || GreedyDraftsRule.shape(of: problem.drafts) != nil)
    }

    /// All drafts but one are certain: Q(H) is p′(H) for sets H that hold them, and 0 for others.
    private init(target: FiniteDistribution, drawn: Int, certain: [Int], drafts: [FiniteDistribution]) {
        let draft = drafts[drawn]
        let forced = Set(certain.indices.filter { $0 != drawn }.map { certain[$0] })
        var member = target.probabilities.indices.map { forced.contains($0) || target[$0] < draft[$0] }
        let best = member.indices.reduce(0.0) { member[$1] ? $0 + target[$1] - draft[$1] : $0 }
        if best >= 0 { member = member.map { _ in false } }
        value = min(1, max(0, 1 + min(0, best)))
        isInMinimiser = member
    }

    /// Two different drafts: the least of ψ(H) = q(H) - p_1(H) p_2(H) is a least cut (GR, Appendix D; Kolmogorov and Zabih 2004).
    ///
    /// With x_i = 1 for i ∈ H and x_i x_j = (x_i + x_j - |x_i - x_j|)/2, ψ is Σ x_i (q_i - (p_1(i) + p_2(i))/2) and, for each pair
    /// of tokens, half of p_1(i) p_2(j) + p_1(j) p_2(i) where one is in H and the other is not.
    private init(cut problem: MultiDraftProblem) throws(CouplingError) {
        let (first, second) = (problem.drafts[0], problem.drafts[1])
        let drafted = (0..<problem.vocabularySize).filter { first[$0] > 0 || second[$0] > 0 }
        let limit = 4e6
        let pairs = Double(drafted.count) * Double(drafted.count - 1) / 2
        guard pairs <= limit else {
            throw .problemTooLarge(what: "the pairs of tokens of two drafts", size: pairs, limit: limit)
        }
        let (source, sink) = (drafted.count, drafted.count + 1)
        var network = MaximumFlow(nodeCount: drafted.count + 2)
        for (place, token) in drafted.enumerated() {
            // The source's side is H.
            let cost = problem.target[token] - (first[token] + second[token]) / 2
            if cost < 0 { network.addEdge(from: source, to: place, capacity: -cost) }
            if cost > 0 { network.addEdge(from: place, to: sink, capacity: cost) }
            for (other, partner) in drafted[..<place].enumerated() {
                let weight = (first[token] * second[partner] + first[partner] * second[token]) / 2
                if weight > 0 { network.addEdge(from: place, to: other, capacity: weight, backwards: weight) }
            }
        }
        network.maximise(from: source, to: sink)
        let side = network.sourceSide(from: source)
        var member = Array(repeating: false, count: problem.vocabularySize)
        for (place, token) in drafted.enumerated() { member[token] = side[place] }
        self.init(problem, member: member)
    }

    /// Drafts that depend on each other: tokens with the source's capacities q_i, sets with theirs, as in `MaxFlowTransport`. A
    /// token is in H where its capacity is cut.
    private init(network problem: MultiDraftProblem) throws(CouplingError) {
        let sets = try DraftSets(problem)
        let source = problem.vocabularySize + sets.count
        let sink = source + 1
        var network = MaximumFlow(nodeCount: sink + 1)
        for token in 0..<problem.vocabularySize where problem.target[token] > 0 {
            network.addEdge(from: source, to: token, capacity: problem.target[token])
        }
        for set in 0..<sets.count {
            for token in sets.tokens(of: set) where problem.target[Int(token)] > 0 {
                network.addEdge(from: Int(token), to: problem.vocabularySize + set, capacity: .infinity)
            }
            network.addEdge(from: problem.vocabularySize + set, to: sink, capacity: sets.probabilities[set])
        }
        let flow = network.maximise(from: source, to: sink)
        let side = network.sourceSide(from: source)
        value = min(1, max(0, flow))
        // A token without mass in the target is in H at no cost.
        isInMinimiser = (0..<problem.vocabularySize).map { problem.target[$0] == 0 || !side[$0] }
    }

    /// ψ of a set, which is not worse than that of none.
    private init(_ problem: MultiDraftProblem, member: [Bool]) {
        func mass(_ law: FiniteDistribution) -> Double {
            member.indices.reduce(0) { member[$1] ? $0 + law[$1] : $0 }
        }
        let best = mass(problem.target) - problem.drafts.reduce(1) { $0 * mass($1) }
        value = min(1, max(0, 1 + min(0, best)))
        isInMinimiser = best < 0 ? member : member.map { _ in false }
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
