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
            The target is an n-gram model of the bytes of --text, or a --checkpoint: a file of llama2.c with its --tokenizer, or a folder \
            of transformers with a Llama. The draft is a --draft-checkpoint, or an n-gram model of the same text; of a checkpoint without \
            a text, of what it writes itself. With --rule gumbel the text is a function of the seed and the target alone, whatever the \
            draft, the lookahead and the number of paths. Several --rule make a table. Beside them stands decoding without drafts, by the \
            same engine.
            """)

    @Option(help: .init("Text file that the n-gram models learn from.", valueName: "file"))
    var text: String?

    @Option(
        help: .init(
            "A checkpoint to be the target: a llama2.c file (.bin), or a transformers folder of a Llama.",
            valueName: "path"))
    var checkpoint: String?

    @Option(
        help: .init(
            "The checkpoint's tokenizer: a llama2.c file (.bin) or a tokenizer.json; of a folder, its own.",
            valueName: "file"))
    var tokenizer: String?

    @Option(help: .init("A checkpoint of the same vocabulary to be the draft.", valueName: "path"))
    var draftCheckpoint: String?

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

    @Option(parsing: .unconditional, help: .init("Keep the target's k likeliest tokens only.", valueName: "k"))
    var topK: Int?

    @Option(
        parsing: .unconditional,
        help: .init("Keep the target's likeliest tokens only that together have this probability.", valueName: "p"))
    var topP: Double?

    @Option(
        parsing: .unconditional,
        help: .init("Keep the tokens only that have this share of the likeliest one's probability.", valueName: "p"))
    var minP: Double?

    @Option(
        parsing: .unconditional, help: .init("Temperature of the draft's laws. (default: the target's)", valueName: "T")
    )
    var draftTokenTemperature: Double?

    @Option(parsing: .unconditional, help: .init("Top-k of the draft. (default: the target's)", valueName: "k"))
    var draftTopK: Int?

    @Option(parsing: .unconditional, help: .init("Top-p of the draft. (default: the target's)", valueName: "p"))
    var draftTopP: Double?

    @Option(parsing: .unconditional, help: .init("Min-p of the draft. (default: the target's)", valueName: "p"))
    var draftMinP: Double?

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

    @OptionGroup var precision: PrecisionOption
    @OptionGroup var threads: ThreadsOption

    @OptionGroup(title: "Result") var result: ResultOptions

    private var request: DecodingRequest {
        var request = DecodingRequest()
        (request.text, request.checkpoint, request.tokenizer) = (text, checkpoint, tokenizer)
        (request.order, request.draftOrder) = (order, draftOrder)
        (request.lookahead, request.drafts, request.rules) = (lookahead, drafts, rule)
        (request.parameters.tolerance, request.parameters.freeTokens) = (tolerance, freeTokens)
        request.parameters.likeliest = likeliest
        (request.tokens, request.prompt, request.pairs) = (tokens, prompt, pairs)
        (request.draftCheckpoint, request.seed) = (draftCheckpoint, seed.seed)
        (request.precision, request.threads) = (precision.precision.resolved, threads.threads)
        request.truncation.temperature = formerTemperature ?? tokenTemperature
        (request.truncation.topK, request.truncation.topP, request.truncation.minP) = (topK, topP, minP)
        request.draftTruncation.temperature = draftTokenTemperature ?? request.truncation.temperature
        request.draftTruncation.topK = draftTopK ?? topK
        request.draftTruncation.topP = draftTopP ?? topP
        request.draftTruncation.minP = draftMinP ?? minP
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
