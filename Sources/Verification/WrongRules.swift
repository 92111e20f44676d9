import Couplings
import FiniteAlphabets
import Foundation

/// Algorithm 5 of DB25 (De Bortoli et al. 2025, *Accelerated Diffusion Models via Speculative Sampling*, App. A), the
/// incorrect rejection: a rejected draft is replaced by a fresh draw from the target. It looks right and is not; every test
/// of exactness must catch it.
package struct IncorrectRejection: VerificationRule {
    package let isExact = false

    package init() {}

    package func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let verdict = ReflectionCoupling().verify(proposal, randomness: &randomness)
        if verdict.isAccepted { return verdict }
        let noise = randomness.normals(proposal.noise.count)
        let state = zip(proposal.targetMean, noise).map { $0 + proposal.standardDeviation * $1 }
        return Verdict(state: state, isAccepted: false, distance: verdict.distance)
    }
}

/// Accepts whatever is drafted: the law of the draft.
package struct AcceptEverything: VerificationRule {
    package let isExact = false

    package init() {}

    package func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let distance = proposal.discrepancy.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return Verdict(state: proposal.state, isAccepted: true, distance: distance)
    }
}

/// DB25's Algorithm 5 on tokens: a rejected draft is replaced by a fresh draw from the target, where the residual law belongs.
package struct ResamplingRule: FixedResidualRule {
    package let isExact = false
    private let naive: NaiveRule

    package init(_ problem: MultiDraftProblem) throws { naive = try NaiveRule(problem) }

    package var problem: MultiDraftProblem { naive.problem }
    package var residual: FiniteDistribution? { problem.target }
    package func takingProbabilities(of drafts: [Int]) -> [Double] { naive.takingProbabilities(of: drafts) }
}
