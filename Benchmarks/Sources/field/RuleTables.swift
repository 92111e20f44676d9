import Couplings
import Foundation

/// What the rules do by themselves; no model.
enum RuleTables {
    static let distances = [0.05, 0.1, 0.2, 0.277, 0.5, 1, 2, 3]

    static func print() throws {
        printAcceptances()
        printRescues()
        try printDisplacements()
    }

    private static func coupling(_ rule: some ListRule, _ distance: Double, _ drafts: Int) -> any LineCoupling {
        rule.onLine(distance: distance, drafts: drafts)
    }

    private static func printAcceptances() {
        Swift.print(
            "| drafts | δ | one draft | greedy (D-GRS) | rank (PAWS) | nearest | contest | bound α*_n |\n"
                + "|---|---|---|---|---|---|---|---|")
        for drafts in [2, 4] {
            for distance in distances {
                func cell(_ rule: some ListRule) -> String {
                    text(coupling(rule, distance, drafts).acceptance, 4)
                }
                Swift.print(
                    "| \(drafts) | \(distance) | \(text(maximalAcceptance(distance: distance), 4)) | "
                        + "\(cell(GreedyListCoupling())) | \(cell(RankListCoupling())) | \(cell(NearestListCoupling())) | "
                        + (drafts == 2 ? cell(ContestListCoupling()) : "–")
                        + " | \(text(OptimalListCoupling.greatestAcceptance(distance: distance, drafts: drafts), 4)) |")
            }
        }
    }

    /// Of the rejections of one draft, how many a second one saves; with the first keeping its acceptance and without.
    private static func printRescues() {
        Swift.print(
            "\n| δ | greedy | rank | contest | bound | main first | its bound |\n|---|---|---|---|---|---|---|")
        for distance in distances {
            let rejection = 1 - maximalAcceptance(distance: distance)
            func share(_ acceptance: Double) -> String { text(1 - (1 - acceptance) / rejection, 3) }
            func cell(_ rule: some ListRule) -> String { share(coupling(rule, distance, 2).acceptance) }
            Swift.print(
                "| \(distance) | \(cell(GreedyListCoupling())) | \(cell(RankListCoupling())) | "
                    + "\(cell(ContestListCoupling())) | "
                    + "\(share(OptimalListCoupling.greatestAcceptance(distance: distance, drafts: 2))) | "
                    + "\(cell(MainFirstCoupling())) | "
                    + "\(text(MainFirstCoupling.greatestRescue(distance: distance) / rejection, 3)) |")
        }
    }

    /// How far a repair stands from the rejected draft, in standard deviations along `Δ`; what is drawn anew moves by `√2` in
    /// every other direction as well.
    private static func printDisplacements() throws {
        Swift.print(
            "\n| δ | mean | root mean square: reflection | monotone | rejection, along Δ |\n|---|---|---|---|---|")
        let source = RandomSource(seed: 1)
        for (index, distance) in distances.enumerated() {
            func moves(_ rule: some VerificationRule) throws -> [Double] {
                var moves: [Double] = []
                for sample in 0..<1_000_000 where moves.count < 20_000 {
                    let noise = source.increment(sample: sample, step: index, dimension: 1)
                    let proposal = GaussianProposal(
                        draftMean: [distance], targetMean: [0], standardDeviation: 1, noise: noise,
                        state: [distance + noise[0]])
                    var stream = source.stream(sample: sample, step: index, purpose: .verification)
                    let verdict = try rule.verify(proposal, randomness: &stream)
                    if !verdict.isAccepted { moves.append(proposal.state[0] - verdict.state[0]) }
                }
                return moves
            }
            let (reflected, monotone, drawn) = try (
                moves(ReflectionCoupling()), moves(MonotoneResidualCoupling()), moves(RejectionCoupling())
            )
            func square(_ moves: [Double]) -> String {
                text((moves.reduce(0) { $0 + $1 * $1 } / Double(moves.count)).squareRoot(), 3)
            }
            Swift.print(
                "| \(distance) | \(Mean(monotone).text(3)) | \(square(reflected)) | \(square(monotone)) | "
                    + "\(square(drawn)) |")
        }
    }
}
