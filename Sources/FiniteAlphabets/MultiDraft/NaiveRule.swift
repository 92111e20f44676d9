/// Single-draft speculative sampling (Leviathan et al. 2023; Chen et al. 2023): the first draft by Protocol 1 of CWC,
/// the others ignored, whatever they depend on. Acceptance 1 - D_TV(p_1, q); the least of any rule here.
public struct NaiveRule: FixedResidualRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    private let coupling: MaximalCoupling

    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        self.problem = problem
        coupling = try MaximalCoupling(draft: problem.drafts[0], target: problem.target)
    }

    public var residual: FiniteDistribution? { coupling.residual }

    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        var taking = Array(repeating: 0.0, count: drafts.count)
        taking[0] = coupling.acceptance(of: drafts[0])
        return taking
    }

    public func acceptance() -> Double { coupling.matchProbability }
}
