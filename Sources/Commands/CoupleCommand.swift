import ArgumentParser
import FiniteAlphabets
import Jobs
import Models

extension CouplingRule: ExpressibleByArgument {}
extension DraftScheme: ExpressibleByArgument {}

/// `diffspec couple`: one coupling of a target with its drafts, its exact acceptance and law, and samples of it.
struct CoupleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "couple",
        abstract: "Couple a finite target distribution with one or several drafts.",
        discussion: """
            The files hold a JSON array of probabilities, or an object with "tokens", "probabilities" and "vocabulary", or one with \
            "logits" and what is made of them: "temperature", "top_k", "top_p", "min_p", in this order, as transformers does. The rules maximal, gumbel, minhash, low-communication and naive look at the \
            first draft alone; the optimum reported is always that of all drafts.

            With --stream, lines of JSON on stdin, each with laws of these forms and the tokens that were drafted, are \
            answered on stdout with the token to be taken, for a decoder in another language:

              {"target": {…}, "draft": {…}, "drafted": [17, 5], "seed": 7, "position": 3}
              {"token": 17, "accepted": true, "draft": 0}

            "drafts" is a list of laws, one for each drafted token, where they differ; "rule" takes the place of --rule, \
            "draft_scheme" of --draft-scheme, and "id" is sent back. The answer is a function of the line.

            Examples:
              diffspec couple --target q.json --draft-law p.json --drafts 2 --rule global-resolution --json
              diffspec couple --target q.json --draft-law p.json --drafts 3 --draft-scheme without-replacement --rule specinfer
              diffspec couple --target q.json --draft-law p1.json --draft-law p2.json --rule max-flow
              diffspec couple --stream --rule specinfer < lines.jsonl
            """)

    @Flag(help: "Verify the drafted tokens of another program, JSON lines in and out.")
    var stream = false

    @Option(help: .init("File with the target's law, q.", valueName: "file"))
    var target: String?

    @Option(
        help: .init(
            "File with the drafts' law, p; given several times, the law of each draft in turn.", valueName: "file"))
    var draftLaw: [String] = []

    @Option(name: .customLong("draft"), help: .hidden)
    var formerDraftLaw: String?

    @Option(
        parsing: .unconditional,
        help: .init("Number of drafts from p (default: as many as there are laws).", valueName: "n"))
    var drafts: Int?

    @OptionGroup var scheme: DraftSchemeOption

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
        help: .init(
            "s of importance-truncated and importance-vocabulary: tokens whose pairs are optimised.", valueName: "s"))
    var freeTokens = 64

    @Option(
        parsing: .unconditional,
        help: .init(
            "The vocabulary of importance-vocabulary: so many likeliest tokens of the target, and as many of the draft.",
            valueName: "k"))
    var likeliest = 20

    @OptionGroup var threads: ThreadsOption
    @OptionGroup(title: "Result") var result: ResultOptions

    private var draftLaws: [String] { draftLaw.isEmpty ? [formerDraftLaw].compactMap(\.self) : draftLaw }

    private var request: CouplingRequest {
        CouplingRequest(
            target: target ?? "", draftLaws: draftLaws, drafts: drafts ?? max(1, draftLaws.count),
            scheme: scheme.draftScheme, rule: rule,
            parameters: .init(tolerance: tolerance, freeTokens: freeTokens, likeliest: likeliest, precision: precision),
            count: formerCount ?? count, seed: seed.seed)
    }

    private var server: CouplingStream {
        CouplingStream(
            rule: rule, parameters: request.parameters, scheme: scheme.draftScheme, seed: seed.seed,
            threads: threads.threads)
    }

    func validate() throws {
        if stream {
            guard target == nil, draftLaws.isEmpty, drafts == nil, count == 0, formerCount == nil else {
                throw ValidationError(
                    "--stream reads laws from its lines: leave --target, --draft-law, --drafts and --count away.")
            }
            return try checkingUsage { try server.check() }
        }
        guard target != nil else { throw ValidationError("--target must be given.") }
        guard !draftLaws.isEmpty else { throw ValidationError("--draft-law must be given.") }
        try checkingUsage { try request.check() }
    }

    func run() throws {
        if stream {
            Interruption.watch()
            return try server.serve(monitor: Console(isQuiet: true))
        }
        try result.check()
        try result.show(result.console.during("coupling") { try CouplingResult.run(request) })
    }
}
