/// The optimal transport where all drafts but one are certain, as the greedy scheme of Hu et al. (2025) drafts them: the n - 1
/// likeliest tokens T of the draft model, and one drawn from its law p′ on the others.
///
/// The drawn token x is kept with probability min(1, q_x/p′_x), as a single draft is. Otherwise the output has the law
/// ∝ max(0, q - p′), and what falls on T was drafted too: acceptance q(T) + Σ_{i∉T} min(q_i, p′_i), which is
/// 1 + min_H ψ(H) (GR, Theorem 3.1), since Q(H) = p′(H) for H ⊇ T and 0 for other sets.
public struct GreedyDraftsRule: FixedResidualRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    /// ∝ max(0, q - p′) on the tokens that are not certain.
    public let residual: FiniteDistribution?
    /// Of the drawn token: Protocol 1 of CWC.
    private let coupling: MaximalCoupling
    /// The place of the draft that is drawn, and the token of each of the others.
    private let drawn: Int
    private let certain: [Int]
    private let rejection: Double

    /// - Throws: `CouplingError.draftsDependent`, or `.draftsNotCertain` where more than one draft is drawn.
    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        let laws = try problem.independentDrafts(for: "greedy")
        guard let shape = Self.shape(of: laws) else { throw .draftsNotCertain(rule: "greedy") }
        self.problem = problem
        (drawn, certain) = shape
        coupling = try MaximalCoupling(draft: laws[shape.drawn], target: problem.target)
        rejection = max(0, 1 - coupling.matchProbability)
        var left = coupling.residual?.probabilities ?? []
        for (place, token) in shape.certain.enumerated() where place != shape.drawn && !left.isEmpty { left[token] = 0 }
        residual = left.reduce(0, +) > 1e-14 ? try FiniteDistribution(weights: left, name: "residual") : nil
    }

    /// Which draft is drawn, and the likeliest token of each; nil where several are drawn.
    static func shape(of laws: [FiniteDistribution]) -> (drawn: Int, certain: [Int])? {
        let isCertain = laws.map { law in law.probabilities.contains(1) }
        let open = isCertain.indices.filter { !isCertain[$0] }
        guard open.count <= 1 else { return nil }
        return (
            open.first ?? laws.count - 1,
            laws.map { law in law.probabilities.indices.max { law[$0] < law[$1] } ?? 0 }
        )
    }

    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        let kept = coupling.acceptance(of: drafts[drawn])
        var taking = Array(repeating: 0.0, count: drafts.count)
        taking[drawn] = kept
        guard let rejected = coupling.residual else { return taking }
        for place in drafts.indices where place != drawn {
            // A token that is certain twice is taken at its first place.
            let isFirst = certain.indices.first { $0 != drawn && certain[$0] == certain[place] } == place
            if isFirst, drafts[place] == certain[place] { taking[place] = (1 - kept) * rejected[certain[place]] }
        }
        return taking
    }

    /// q(T) + Σ_{i∉T} min(q_i, p′_i).
    public func acceptance() -> Double {
        let tokens = Set(certain.indices.filter { $0 != drawn }.map { certain[$0] })
        return 1 - rejection + rejection * tokens.reduce(0) { $0 + (coupling.residual?[$1] ?? 0) }
    }
}
