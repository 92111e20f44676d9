import ArgumentParser
import FiniteAlphabets
import Jobs
import Models

/// `diffspec decode`: speculative decoding of text, with tables of block efficiency and acceptance.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Decode text speculatively, by any rule or drafter-invariantly.",
        discussion: """
            The target is an n-gram model of the bytes of --text, or a llama2.c --checkpoint with its --tokenizer. The draft is an n-gram \
            model of the same text; of a checkpoint without a text, of what it writes itself. With --rule gumbel the text is a \
            function of the seed and the target alone, whatever the draft and the lookahead. Several --rule make a table.
            """)

    @Option(help: .init("Text file that the n-gram models learn from.", valueName: "file"))
    var text: String?

    @Option(help: .init("A llama2.c checkpoint (.bin) to be the target.", valueName: "file"))
    var checkpoint: String?

    @Option(help: .init("The checkpoint's tokenizer (.bin).", valueName: "file"))
    var tokenizer: String?

    @Option(parsing: .unconditional, help: .init("Order of the target's n-gram model.", valueName: "n"))
    var order = 6

    @Option(parsing: .unconditional, help: .init("Order of the draft's n-gram model.", valueName: "n"))
    var draftOrder = 3

    @Option(parsing: .unconditional, help: .init("The length of a drafted path.", valueName: "L"))
    var lookahead = 4

    @Option(parsing: .unconditional, help: .init("Number of drafted paths.", valueName: "n"))
    var drafts = 2

    @Option(help: "The rule: \(CouplingRule.namesForDecoding); gumbel is drafter-invariant. May be repeated.")
    var rule: [CouplingRule] = [.specinfer]

    @Option(parsing: .unconditional, help: .init("Number of tokens to decode.", valueName: "N"))
    var tokens = 200

    @Option(parsing: .unconditional, help: "Text to begin with.")
    var prompt = ""

    @Option(parsing: .unconditional, help: .init("Temperature of the target's laws.", valueName: "T"))
    var tokenTemperature = 1.0

    @Option(name: .customLong("temperature"), parsing: .unconditional, help: .hidden)
    var formerTemperature: Double?

    @OptionGroup var seed: SeedOption

    @Option(parsing: .unconditional, help: .init("τ of global-resolution.", valueName: "τ"))
    var tolerance = 1e-3

    @Option(
        parsing: .unconditional, help: .init("s of importance-truncated and importance-vocabulary.", valueName: "s"))
    var freeTokens = 16

    @Option(
        parsing: .unconditional,
        help: .init("The likeliest tokens that importance-vocabulary holds, of each law.", valueName: "k"))
    var likeliest = 20

    @Option(
        parsing: .unconditional,
        help: .init(
            "Instead of decoding by a rule: the match probabilities of so many pairs of next-token laws (CWC, Figure 2).",
            valueName: "N"))
    var pairs = 0

    @OptionGroup(title: "Result") var result: ResultOptions

    private var request: DecodingRequest {
        var request = DecodingRequest()
        (request.text, request.checkpoint, request.tokenizer) = (text, checkpoint, tokenizer)
        (request.order, request.draftOrder) = (order, draftOrder)
        (request.lookahead, request.drafts, request.rules) = (lookahead, drafts, rule)
        (request.parameters.tolerance, request.parameters.freeTokens) = (tolerance, freeTokens)
        request.parameters.likeliest = likeliest
        (request.tokens, request.prompt, request.pairs) = (tokens, prompt, pairs)
        (request.temperature, request.seed) = (formerTemperature ?? tokenTemperature, seed.seed)
        return request
    }

    func validate() throws { try checkingUsage { try request.check() } }

    func run() throws {
        try result.check()
        if pairs > 0 {
            try result.show(result.console.during("comparing laws") { try TokenLawPairs.run(request) })
        } else {
            try result.show(result.console.during("decoding") { try DecodingResult.run(request) })
        }
    }
}
