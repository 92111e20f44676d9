import Foundation

/// K-SEQ (SpecTr, Sun et al. 2023), a baseline of IW and GR: sequential selection with a deflated target.
///
/// The drafts are tried in turn, each kept with probability min(1, q(x)/(γ p(x))), that is β = Σ min(p, q/γ) in the
/// mean; after n rejections the output is drawn from q less what was accepted. That residual is not negative
/// where 1 - (1-β)ⁿ ≤ γβ, and acceptance 1 - (1-β)ⁿ falls with γ, so the best γ ∈ [1, n] makes the two equal.
public struct KSequentialRule: MultiDraftRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    public let residual: FiniteDistribution?
    /// γ.
    public let deflation: Double
    private let acceptancePerDraft: Double

    /// - Throws: `CouplingError.draftsNotIdentical`.
    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        let p = try problem.identicalDraft(for: "K-SEQ").probabilities
        let q = problem.target.probabilities
        let n = Double(problem.draftCount)
        func beta(_ gamma: Double) -> Double { zip(p, q).reduce(0) { $0 + min($1.0, $1.1 / gamma) } }
        func accepted(_ beta: Double) -> Double { 1 - pow(max(0, 1 - beta), n) }
        // Bisection on [1, n], where γβ(γ) rises and 1 - (1-β)ⁿ falls; the upper end is always admissible.
        var low = 1.0
        var high = n
        for _ in 0..<100 where low < high {
            let middle = (low + high) / 2
            if middle * beta(middle) >= accepted(beta(middle)) { high = middle } else { low = middle.nextUp }
        }
        let perDraft = beta(high)
        self.problem = problem
        deflation = high
        acceptancePerDraft = perDraft
        guard perDraft > 0 else {
            residual = problem.target
            return
        }
        let scale = accepted(perDraft) / perDraft
        let excess = zip(p, q).map { max(0, $1 - min($0, $1 / high) * scale) }
        // Less than this remains through rounding alone.
        residual = excess.reduce(0, +) > 1e-14 ? try FiniteDistribution(weights: excess, name: "residual") : nil
    }

    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        var reached = 1.0
        return drafts.map { token in
            let p = problem.drafts[0][token]
            let q = problem.target[token]
            let keep = p > 0 ? min(1, q / (deflation * p)) : 0
            let taken = reached * keep
            reached -= taken
            return taken
        }
    }

    public func acceptance() -> Double {
        1 - pow(max(0, 1 - acceptancePerDraft), Double(problem.draftCount))
    }
}
