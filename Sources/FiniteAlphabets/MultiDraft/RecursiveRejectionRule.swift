/// SpecInfer's multi-step speculative sampling (Miao et al. 2024), a baseline of IW and GR: recursive rejection.
///
/// The drafts are tried in turn: the k-th is kept with probability min(1, q_k(x)/p_k(x)), and a rejection replaces the
/// target q_k by its residual q_{k+1} ∝ max(0, q_k - p_k). Acceptance 1 - ∏ D_TV(q_k, p_k).
public struct RecursiveRejectionRule: FixedResidualRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    public let residual: FiniteDistribution?
    /// The coupling of p_k with q_k at each try; shorter than n where no draft can be rejected any more.
    private let couplings: [MaximalCoupling]

    /// - Throws: `CouplingError.draftsDependent`; `DependentRejectionRule` is for such drafts.
    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        self.problem = problem
        var couplings: [MaximalCoupling] = []
        var target: FiniteDistribution? = problem.target
        for draft in try problem.independentDrafts(for: "recursive rejection") {
            guard let current = target else { break }
            let coupling = try MaximalCoupling(draft: draft, target: current)
            couplings.append(coupling)
            target = coupling.residual
        }
        self.couplings = couplings
        residual = target
    }

    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        var taking = Array(repeating: 0.0, count: drafts.count)
        var reached = 1.0
        for (position, coupling) in couplings.enumerated() {
            taking[position] = reached * coupling.acceptance(of: drafts[position])
            reached -= taking[position]
        }
        return taking
    }

    public func acceptance() -> Double {
        1 - couplings.reduce(1) { $0 * (1 - $1.matchProbability) }
    }
}
