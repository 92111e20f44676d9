import ArgumentParser
import Couplings
import Foundation
import LinearProgramming

/// `diffspec limit`: what no rule, and no code, can exceed.
struct LimitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "Limits of speculation and of coding, from one Neyman–Pearson function.",
        subcommands: [Acceptance.self, Converse.self])

    /// `diffspec limit acceptance`.
    struct Acceptance: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "acceptance",
            abstract:
                "The optimal acceptance of n drafts, α*: for two finite distributions, or two Gaussians at a distance.")

        @Option(help: "File with the target's probabilities, a JSON array.")
        var target: String?
        @Option(help: "File with the draft's probabilities, a JSON array.")
        var draft: String?
        @Option(help: "δ = ‖Δ‖, the distance of two Gaussian steps' means in standard deviations.")
        var distance: Double?
        @Option(help: "Number of drafts.")
        var drafts = 1
        @Flag(help: "Print a JSON object.")
        var json = false

        struct Report: Encodable {
            let drafts: Int
            let optimum: Double
            let distance: Double?
        }

        func validate() throws {
            let isFinite = target != nil && draft != nil && distance == nil
            let isGaussian = target == nil && draft == nil && distance != nil
            guard isFinite || isGaussian else {
                throw ValidationError("give either --target and --draft, or --distance")
            }
            guard drafts >= 1 else { throw ValidationError("--drafts is \(drafts); expected at least 1") }
            if let distance, !(distance >= 0 && distance.isFinite) {
                throw ValidationError("--distance is \(distance); expected a finite number ≥ 0")
            }
        }

        func run() throws {
            let optimum: Double
            if let target, let draft {
                let q = try JSONFiles.distribution(target)
                let p = try JSONFiles.distribution(draft)
                try p.requireSameVocabulary(as: q, name: draft, otherName: target)
                optimum = try FiniteNeymanPearson(p, q).optimalAcceptance(drafts: drafts)
            } else {
                optimum = try GaussianNeymanPearson(distance: distance ?? 0).optimalAcceptance(drafts: drafts)
            }
            let report = Report(drafts: drafts, optimum: optimum, distance: distance)
            print(
                json ? try JSONFiles.line(report) : String(format: "optimum %.9f", optimum) + " with \(drafts) drafts")
        }
    }

    /// `diffspec limit metaconverse`.
    struct Converse: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "metaconverse",
            abstract: "The minimax converse of a memoryless channel: no code of the length and error has more bits.")

        @Option(help: "Crossover probability of a binary symmetric channel.")
        var bsc: Double?
        @Option(help: "Erasure probability of a binary erasure channel.")
        var bec: Double?
        @Option(help: "File with a channel: a JSON array of the rows W(·|x).")
        var channel: String?
        @Option(help: "Number of uses of the channel, n.")
        var length = 1
        @Option(help: "Error probability, ε.")
        var error: Double?
        @Option(help: "Instead of an error: the rate in bits, log₂ M; the least error is reported.")
        var bits: Double?
        @Flag(help: "Print a JSON object.")
        var json = false

        struct Report: Encodable {
            let length: Int
            let error: Double
            let converseBits: Double
            let gap: Double
            let supportSpread: Double
            let zeroShortfall: Double
            let quantileLoss: Double

            enum CodingKeys: String, CodingKey {
                case length, error, gap
                case converseBits = "converse_bits"
                case supportSpread = "support_spread"
                case zeroShortfall = "zero_shortfall"
                case quantileLoss = "quantile_loss"
            }
        }

        func validate() throws {
            guard [bsc != nil, bec != nil, channel != nil].filter({ $0 }).count == 1 else {
                throw ValidationError("give exactly one of --bsc, --bec and --channel")
            }
            guard error == nil || bits == nil else { throw ValidationError("give --error or --bits, not both") }
            guard (1...4_000_000).contains(length) else {
                throw ValidationError("--length is \(length); expected 1 to 4000000")
            }
            for (name, value) in [("--bsc", bsc), ("--bec", bec)] {
                if let value, !(0...1).contains(value) { throw ValidationError("\(name) is \(value); expected 0 to 1") }
            }
            if let error, !(error > 0 && error < 1) { throw ValidationError("--error is \(error); expected 0 < ε < 1") }
            if let bits, !(bits >= 0 && bits.isFinite) {
                throw ValidationError("--bits is \(bits); expected a finite number of bits ≥ 0")
            }
        }

        func run() throws {
            let question: MetaConverse.Question = bits.map { .error(atBits: $0) } ?? .rate(atError: error ?? 1e-3)
            let saddle = try MetaConverse(
                try chosenChannel(), length: length, question: question, solver: PreferredSolver.make())
            let certificate = saddle.certificate
            let report = Report(
                length: length, error: saddle.error, converseBits: saddle.bits, gap: certificate.gap,
                supportSpread: certificate.supportSpread, zeroShortfall: certificate.zeroShortfall,
                quantileLoss: certificate.quantileLoss)
            print(
                json
                    ? try JSONFiles.line(report)
                    : String(format: "%.6f bits at error %.6g", saddle.bits, saddle.error)
                        + ", length \(length) " + String(format: "(certificate gap %.2g)", certificate.gap))
        }

        private func chosenChannel() throws -> DiscreteChannel {
            if let bsc { return try .binarySymmetric(crossover: bsc) }
            if let bec { return try .binaryErasure(erasure: bec) }
            return try JSONFiles.channel(channel ?? "")
        }
    }
}
