/// The optimal rule in the form of IW's canonical decomposition, from an optimal transport (GR, Theorem 4.1): first an
/// importance-weighted choice Y of one of the drafts, then single-draft speculative sampling of Y against q.
///
/// β(i|ω) = S_{i,ω} / Σ_j S_{j,ω}, and uniform over the drafted tokens where S sends nothing. So the choice's law p_I has
/// Σ min(q_i, p_I(i)) = α*: no fewer computations than the transport takes, and no more acceptance.
public struct CanonicalDecomposition: FixedResidualRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    private let transport: SetTransport
    private let verification: MaximalCoupling

    /// - Throws: `CouplingError.problemTooLarge`.
    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        self.problem = problem
        transport = try MaxFlowTransport(problem).transport
        verification = try MaximalCoupling(
            draft: transport.chosenLaw(vocabularySize: problem.vocabularySize), target: problem.target)
    }

    /// p_I, the law of the draft chosen.
    public var chosenLaw: FiniteDistribution { verification.draft }

    public var residual: FiniteDistribution? { verification.residual }

    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        zip(drafts, transport.weights(of: drafts)).map { verification.acceptance(of: $0) * $1 }
    }

    /// Σ min(q_i, p_I(i)).
    public func acceptance() -> Double { verification.matchProbability }
}
