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

/// Moves a rejected draft by the difference of the means, so that it keeps its noise: of all maps between the two laws the one that
/// moves states least on average over *all* drafts, but not one that takes the rejected ones to what the target lacks.
package struct TranslatingRejection: VerificationRule {
    package let isExact = false

    package init() {}

    package func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let verdict = ReflectionCoupling().verify(proposal, randomness: &randomness)
        if verdict.isAccepted { return verdict }
        let state = zip(proposal.targetMean, proposal.noise).map { $0 + proposal.standardDeviation * $1 }
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

/// What can go wrong with several drafts at a step, each in place of the rule that does it right.
package enum WrongListRule: String, ListRule, CaseIterable {
    /// The greedy rule, with the drafts sorted by how likely the target makes them.
    case sorted
    /// The draft that is likeliest under the target, accepted as though nobody had picked it.
    case picked
    /// The nearest draft first, with a fresh draw from the target for a repair: DB25's Algorithm 5.
    case resampling
    /// Each draft in turn against the whole of the target, which the first has served already.
    case repeated

    package func onLine(distance: Double, drafts: Int) -> any LineCoupling {
        let right: any LineCoupling =
            switch self {
            case .sorted: GreedyListCoupling().onLine(distance: distance, drafts: drafts)
            case .picked, .repeated: GreedyListCoupling().onLine(distance: distance, drafts: 1)
            case .resampling: NearestListCoupling().onLine(distance: distance, drafts: drafts)
            }
        return WrongLineCoupling(kind: self, right: right)
    }
}

private struct WrongLineCoupling: LineCoupling {
    let kind: WrongListRule
    let right: any LineCoupling

    var distance: Double { right.distance }
    var acceptance: Double { right.acceptance }

    func choose(from positions: [Double], randomness: inout RandomStream) -> Int? {
        // The target stands at larger positions than the drafts do.
        let order = positions.indices.sorted { positions[$0] > positions[$1] }
        switch kind {
        case .sorted:
            return right.choose(from: order.map { positions[$0] }, randomness: &randomness).map { order[$0] }
        case .picked:
            return right.choose(from: [positions[order[0]]], randomness: &randomness).map { _ in order[0] }
        case .resampling: return right.choose(from: positions, randomness: &randomness)
        case .repeated:
            for index in positions.indices
            where right.choose(from: [positions[index]], randomness: &randomness) != nil { return index }
            return nil
        }
    }

    func acceptedShare(at position: Double) -> Double {
        kind == .resampling ? 0 : right.acceptedShare(at: position)
    }
}

/// Block verification with a fresh draw from the target for a repair, DB25's Algorithm 5 on windows.
package struct ResamplingBlockRule: BlockRule {
    package let isExact = false

    package init() {}

    package func verify(_ proposals: [GaussianProposal], randomness: inout RandomStream) -> BlockVerdict {
        let right = BlockVerification().verify(proposals, randomness: &randomness)
        guard right.repair != nil else { return right }
        let rejected = proposals[right.accepted]
        let noise = randomness.normals(rejected.noise.count)
        let state = zip(rejected.targetMean, noise).map { $0 + rejected.standardDeviation * $1 }
        return BlockVerdict(accepted: right.accepted, repair: state)
    }
}
