/// Recursive rejection for drafts that depend on each other: without replacement (Jeon et al. 2024, *Recursive Speculative
/// Decoding*; Yang et al. 2024), or with any joint law.
///
/// The k-th draft is kept with probability min(1, q_k(x)/p_k(x)), p_k its law given the drafts before it, and a rejection replaces
/// the target q_k by its residual q_{k+1} ∝ max(0, q_k - p_k). At each try the output has the law q_k given the drafts before, as
/// in Protocol 1 of CWC, so that in all it has q. Unlike that of independent drafts, the residual depends on what was drafted.
public struct DependentRejectionRule: MultiDraftRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }

    public init(_ problem: MultiDraftProblem) { self.problem = problem }

    /// - Complexity: O(nV).
    public func outcome(for drafts: [Int]) throws(CouplingError) -> SelectionLaw {
        var taking = Array(repeating: 0.0, count: drafts.count)
        var target: FiniteDistribution? = problem.target
        var reached = 1.0
        for (position, token) in drafts.enumerated() {
            // After drafts that their law cannot give nothing more is taken.
            guard let current = target, let draft = try problem.nextDraft(after: Array(drafts[..<position])) else {
                break
            }
            let coupling = try MaximalCoupling(draft: draft, target: current)
            taking[position] = reached * coupling.acceptance(of: token)
            reached -= taking[position]
            target = coupling.residual
        }
        return SelectionLaw(taking: taking, residual: target)
    }
}
