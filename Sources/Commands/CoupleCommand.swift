import ArgumentParser
import Jobs
import Models

extension CouplingRule: ExpressibleByArgument {}

/// `diffspec couple`: one coupling of a target with its drafts, its exact acceptance and law, and samples of it.
struct CoupleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "couple",
        abstract: "Couple a finite target distribution with one or several drafts.",
        discussion: """
            The files hold a JSON array of probabilities. The rules maximal, gumbel, minhash, low-communication and naive look at the \
            first draft alone; the optimum reported is always that of all drafts.

            Example:
              diffspec couple --target q.json --draft-law p.json --drafts 2 --rule global-resolution --json
            """)

    @Option(help: .init("File with the target's probabilities, q.", valueName: "file"))
    var target: String

    @OptionGroup var draftLaw: DraftLawOption

    @Option(parsing: .unconditional, help: .init("Number of drafts, drawn independently from p.", valueName: "n"))
    var drafts = 1

    @Option(help: "The coupling: \(CouplingRule.names).")
    var rule: CouplingRule

    @Option(
        parsing: .unconditional,
        help: .init("Draw so many samples and report their L1 distance from the target.", valueName: "N"))
    var count = 0

    @Option(name: .customLong("samples"), parsing: .unconditional, help: .hidden)
    var formerCount: Int?

    @OptionGroup var seed: SeedOption

    @Option(
        parsing: .unconditional,
        help: .init("τ of global-resolution: its output is within 15τ of the target in L1.", valueName: "τ"))
    var tolerance = 1e-4

    @Option(
        parsing: .unconditional,
        help: .init("ε of low-communication: what its match probability may lose.", valueName: "ε"))
    var precision = 1e-3

    @Option(
        parsing: .unconditional,
        help: .init("s of importance-truncated: tokens whose pairs are optimised.", valueName: "s"))
    var freeTokens = 64

    @OptionGroup(title: "Result") var result: ResultOptions

    private var request: CouplingRequest {
        CouplingRequest(
            target: target, draft: draftLaw.file ?? "", drafts: drafts, rule: rule,
            parameters: .init(tolerance: tolerance, freeTokens: freeTokens, precision: precision),
            count: formerCount ?? count, seed: seed.seed)
    }

    func validate() throws {
        guard draftLaw.file != nil else { throw ValidationError("--draft-law must be given.") }
        try checkingUsage { try request.check() }
    }

    func run() throws {
        try result.check()
        try result.show(CouplingResult.run(request))
    }
}
