import ArgumentParser
import Jobs
import Models

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

        @Option(help: .init("File with the target's probabilities, a JSON array.", valueName: "file"))
        var target: String?

        @OptionGroup var draftLaw: DraftLawOption

        @Option(
            parsing: .unconditional,
            help: .init("The distance of two Gaussian steps' means in standard deviations, ‖Δ‖.", valueName: "δ"))
        var distance: Double?

        @Option(parsing: .unconditional, help: .init("Number of drafts.", valueName: "n"))
        var drafts = 1

        @OptionGroup(title: "Result") var result: ResultOptions

        private func laws() throws -> AcceptanceLimit.Laws {
            switch (target, draftLaw.file, distance) {
            case (let target?, let draft?, nil): .finite(target: target, draft: draft)
            case (nil, nil, let distance?): .gaussian(distance: distance)
            default: throw ValidationError("give either --target and --draft-law, or --distance.")
            }
        }

        func validate() throws {
            let laws = try laws()
            try checkingUsage { try AcceptanceLimit.check(laws, drafts: drafts) }
        }

        func run() throws {
            try result.check()
            let laws = try laws()
            try result.show(result.console.during("limit") { try AcceptanceLimit.run(laws, drafts: drafts) })
        }
    }

    /// `diffspec limit metaconverse`.
    struct Converse: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "metaconverse",
            abstract: "The minimax converse of a memoryless channel: no code of the length and error has more bits.")

        @Option(
            parsing: .unconditional,
            help: .init("Crossover probability of a binary symmetric channel.", valueName: "δ"))
        var bsc: Double?

        @Option(
            parsing: .unconditional, help: .init("Erasure probability of a binary erasure channel.", valueName: "e"))
        var bec: Double?

        @Option(help: .init("File with a channel: a JSON array of the rows W(·|x).", valueName: "file"))
        var channel: String?

        @Option(parsing: .unconditional, help: .init("Number of uses of the channel.", valueName: "n"))
        var length = 1

        @Option(parsing: .unconditional, help: .init("Error probability (default: 0.001).", valueName: "ε"))
        var error: Double?

        @Option(
            parsing: .unconditional,
            help: .init("Instead of an error: the rate in bits, log₂ M; the least error is reported.", valueName: "R"))
        var bits: Double?

        @OptionGroup(title: "Result") var result: ResultOptions

        private func chosenChannel() throws -> ConverseLimit.Channel {
            switch (bsc, bec, channel) {
            case (let crossover?, nil, nil): .binarySymmetric(crossover: crossover)
            case (nil, let erasure?, nil): .binaryErasure(erasure: erasure)
            case (nil, nil, let file?): .file(file)
            default: throw ValidationError("give exactly one of --bsc, --bec and --channel.")
            }
        }

        private var question: ConverseLimit.Question {
            bits.map { .error(atBits: $0) } ?? .rate(atError: error ?? 1e-3)
        }

        func validate() throws {
            guard error == nil || bits == nil else { throw ValidationError("give --error or --bits, not both.") }
            let channel = try chosenChannel()
            try checkingUsage { try ConverseLimit.check(channel, length: length, question: question) }
        }

        func run() throws {
            try result.check()
            let channel = try chosenChannel()
            try result.show(
                result.console.during("limit") {
                    try ConverseLimit.run(channel, length: length, question: question)
                })
        }
    }
}
