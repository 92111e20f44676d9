import Couplings
import Foundation
import Statistics

/// Checks of block verification by itself, on a window of a walk whose draft drifts.
enum BlockChecks {
    static let distances = [0.3, 1, 2.5]
    private static let length = 4
    private static let dimension = 2

    static func all(samples: Int, seed: UInt64, index: Int) -> [Check] {
        var checks: [Check] = []
        for distance in distances {
            checks.append(
                check(
                    BlockVerification(), "block", distance: distance, group: .marginal, samples: samples, seed: seed,
                    index: index + checks.count))
        }
        checks.append(
            check(
                ResamplingBlockRule(), "block, resampling", distance: CouplingChecks.controlDistance, group: .control,
                samples: samples, seed: seed, index: index + checks.count))
        return checks
    }

    /// Given the drafts that stand, what the next step adds to the target's mean is standard normal: along the discrepancy, which
    /// lies along the first axis at even steps and along the second at odd ones, and across it (Bonferroni).
    private static func check(
        _ rule: any BlockRule, _ name: String, distance: Double, group: Check.Group, samples: Int, seed: UInt64,
        index: Int
    ) -> Check {
        Check(
            group: group, about: .marginal, name: "marginal, \(name), ‖Δ‖ = \(distance.formatted)",
            test: "KS one-sample", samples: samples
        ) {
            let source = RandomSource(seed: seed)
            var innovations: [[Double]] = [[], []]
            for i in 0..<samples {
                let sample = NoiseRange.check(index).lowerBound + i
                var state = [0.0, 0]
                let proposals = (0..<length).map { step -> GaussianProposal in
                    let noise = source.increment(sample: sample, step: step, dimension: dimension)
                    var mean = state
                    mean[step % 2] += distance
                    let next = zip(mean, noise).map { $0 + $1 }
                    defer { state = next }
                    return GaussianProposal(
                        draftMean: mean, targetMean: state, standardDeviation: 1, noise: noise, state: next)
                }
                var stream = source.stream(sample: sample, step: 0, purpose: .verification)
                let verdict = rule.verify(proposals, randomness: &stream)
                for (step, proposal) in proposals.prefix(verdict.accepted + 1).enumerated() {
                    let state = step < verdict.accepted ? proposal.state : verdict.repair ?? proposal.state
                    for axis in 0..<dimension {
                        innovations[(axis + step) % 2].append(state[axis] - proposal.targetMean[axis])
                    }
                }
            }
            return MultipleTesting.bonferroni(
                innovations.map { KolmogorovSmirnov.oneSample($0, cumulative: NormalDistribution.cumulative) })
        }
    }
}
