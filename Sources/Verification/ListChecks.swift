import Couplings
import Foundation
import Statistics

/// A rule for several drafts under its name.
struct ListCase: Sendable {
    let name: String
    let rule: any ListRule
    let drafts: Int
    /// From which distance on it accepts with the highest probability that any rule can.
    var optimalFrom = Double.infinity
    /// Whether the first draft is accepted as often as it would be alone.
    var isMainFirst = false
}

/// Checks of rules for several drafts at a step.
enum ListChecks {
    /// Every rule that claims to be exact. A new one is a line here.
    static let exact = [
        ListCase(name: "greedy", rule: GreedyListCoupling(), drafts: 3),
        ListCase(name: "rank", rule: RankListCoupling(), drafts: 2),
        ListCase(name: "rank", rule: RankListCoupling(weights: [1, 2, 4]), drafts: 3),
        ListCase(name: "nearest", rule: NearestListCoupling(), drafts: 2, optimalFrom: 1),
        ListCase(name: "nearest", rule: NearestListCoupling(), drafts: 4, optimalFrom: 3),
        ListCase(name: "contest", rule: ContestListCoupling(), drafts: 2),
        ListCase(name: "main first", rule: MainFirstCoupling(), drafts: 2, isMainFirst: true),
    ]

    /// From nearly always accepted to seldom; main first has one of its two rules at the first two, the other at the rest.
    static let distances = [0.05, 0.15, 0.5, 1, 3]

    static func all(samples: Int, seed: UInt64, index: Int) -> [Check] {
        var checks: [Check] = []
        func step(_ distance: Double) -> CoupledList {
            CoupledList(distance: distance, samples: samples, seed: seed, index: index + checks.count)
        }
        for list in exact {
            for distance in distances {
                checks.append(step(distance).marginalCheck(of: list, group: .marginal))
                checks.append(step(distance).meetingCheck(of: list))
            }
        }
        for rule in WrongListRule.allCases {
            let list = ListCase(name: rule.rawValue, rule: rule, drafts: 2)
            checks.append(step(CouplingChecks.controlDistance).marginalCheck(of: list, group: .control))
        }
        return checks
    }
}

/// The step of `CoupledStep` with several drafts.
private struct CoupledList: Sendable {
    let distance: Double
    let samples: Int
    let seed: UInt64
    /// Which check this is: each draws its own noise.
    let index: Int

    private func verdicts(of list: ListCase) -> [ListVerdict] {
        let source = RandomSource(seed: seed)
        let s = CoupledStep.standardDeviation
        let draftMean = zip(CoupledStep.targetMean, CoupledStep.direction).map { $0 + s * distance * $1 }
        let prepared = list.rule.onLine(distance: distance, drafts: list.drafts)
        return (0..<samples).map { i in
            let sample = NoiseRange.check(index).lowerBound + i
            let noises = (0..<list.drafts).map {
                source.increment(sample: sample, step: $0, dimension: CoupledStep.dimension)
            }
            let proposal = GaussianListProposal(
                draftMean: draftMean, targetMean: CoupledStep.targetMean, standardDeviation: s, noises: noises,
                states: noises.map { zip(draftMean, $0).map { $0 + s * $1 } })
            var stream = source.stream(sample: sample, step: 0, purpose: .verification)
            return list.rule.verify(proposal, randomness: &stream, prepared: prepared)
        }
    }

    private func name(_ test: String, _ list: ListCase) -> String {
        "\(test), \(list.name) of \(list.drafts), ‖Δ‖ = \(distance.formatted)"
    }

    func marginalCheck(of list: ListCase, group: Check.Group) -> Check {
        Check(
            group: group, about: .marginal, name: name("marginal", list), test: "KS one-sample", samples: samples
        ) { CoupledStep.marginalResult(of: verdicts(of: list).map(\.state)) }
    }

    /// Some draft is accepted as often as the rule says, or where it is optimal as the bound says, computed anew from its
    /// definition; of a rule that puts the first draft first, that one with `2Φ(-‖Δ‖/2)` as well (Bonferroni).
    func meetingCheck(of list: ListCase) -> Check {
        Check(group: .meeting, name: name("meeting", list), test: "z, binomial", samples: samples) {
            let accepted = verdicts(of: list).compactMap(\.accepted)
            let prepared = list.rule.onLine(distance: distance, drafts: list.drafts)
            var results = [
                NormalDistribution.binomial(
                    successes: accepted.count, count: samples,
                    probability: distance >= list.optimalFrom
                        ? greatestAcceptance(drafts: list.drafts) : prepared.acceptance)
            ]
            if list.isMainFirst {
                results.append(
                    NormalDistribution.binomial(
                        successes: accepted.count { $0 == 0 }, count: samples,
                        probability: maximalAcceptance(distance: distance)))
            }
            return MultipleTesting.bonferroni(results)
        }
    }

    /// `1 + min_h [Φ(h - δ) - Φ(h)ⁿ]`, the minimum by trying.
    private func greatestAcceptance(drafts: Int) -> Double {
        let edges = stride(from: -10.0, through: 10 + distance, by: 1e-3)
        return edges.reduce(1) { least, edge in
            let above = pow(NormalDistribution.cumulative(edge), Double(drafts))
            return min(least, 1 + NormalDistribution.cumulative(edge - distance) - above)
        }
    }
}
