import Couplings
import Diffusion
import Statistics
import Synchronization

/// What a decided step adds to the target's mean: in an exact sampler `(Y_{k+1} - m^q_k(Y_k)) / s_k` is standard normal given
/// all that was known before the step, the draft's mean included. Along the discrepancy `Δ_k`, where every error of a rule
/// lies, these innovations are therefore independent draws from `N(0, 1)`, whatever the chain. Later steps wash an error out
/// of the states; here it stays.
enum InnovationCheck {
    /// Two tests of the innovations along `Δ`, corrected by Bonferroni: Kolmogorov and Smirnov's of their law, and a z-test of
    /// their sum, each weighted by how much a rule could err there. What replaces a rejected draft carelessly takes the
    /// overlap's mean `‖Δ‖/2 · 2Φ(-‖Δ‖/2)` for that of the target, 0.
    /// - Parameters:
    ///   - count: of samples.
    ///   - run: draws so many with a rule.
    static func check(
        group: Check.Group, name: String, count: Int, rule: RuleCase, dimension: Int,
        run: @escaping @Sendable (any VerificationRule) throws -> Void
    ) -> Check {
        Check(group: group, about: .speculation, name: "\(name), innovations", test: "KS one-sample, z", samples: count)
        {
            let recorder = Recorder(rule: try rule.rule(dimension))
            try run(recorder)
            let innovations = recorder.innovations
            var (sum, variance) = (0.0, 0.0)
            for (innovation, distance) in innovations {
                let weight = distance * maximalAcceptance(distance: distance)
                sum += weight * innovation
                variance += weight * weight
            }
            let results = [
                KolmogorovSmirnov.oneSample(innovations.map(\.0), cumulative: NormalDistribution.cumulative),
                NormalDistribution.twoSided(variance > 0 ? sum / variance.squareRoot() : 0),
            ]
            return MultipleTesting.bonferroni(results)
        }
    }
}

/// A rule, and the innovations along `Δ` of all that it decides.
private final class Recorder: VerificationRule {
    private let rule: any VerificationRule
    private let recorded = Mutex<[(along: Double, distance: Double)]>([])

    var isExact: Bool { rule.isExact }
    var innovations: [(along: Double, distance: Double)] { recorded.withLock { $0 } }

    init(rule: any VerificationRule) { self.rule = rule }

    func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) throws -> Verdict {
        let verdict = try rule.verify(proposal, randomness: &randomness)
        let difference = zip(proposal.draftMean, proposal.targetMean).map { $0 - $1 }
        let length = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
        if length > 0 {
            let along = zip(zip(verdict.state, proposal.targetMean), difference).reduce(0) { sum, pair in
                sum + (pair.0.0 - pair.0.1) * pair.1
            }
            let scale = proposal.standardDeviation
            recorded.withLock { $0.append((along / (length * scale), length / scale)) }
        }
        return verdict
    }
}
