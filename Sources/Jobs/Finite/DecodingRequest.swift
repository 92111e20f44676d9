import FiniteAlphabets
import Models
import NeuralNetwork
import Platform
import TokenModels

/// What to decode, with which models, by which rules.
public struct DecodingRequest: Codable, Sendable {
    /// A text that the n-gram models learn from.
    public var text: String?
    /// A checkpoint to be the target: a file of llama2.c, with its tokenizer, or a folder of transformers.
    public var checkpoint, tokenizer: String?
    /// Another of the same vocabulary to be the draft, in place of an n-gram model.
    public var draftCheckpoint: String?
    /// Orders of the target's and of the draft's n-gram model.
    public var order = 6
    public var draftOrder = 3
    /// L, the length of a drafted path, and how many of them.
    public var lookahead = 4
    public var drafts = 2
    /// How the first tokens of the paths are drawn.
    public var scheme = DraftScheme.independent
    /// Draws after each node of each depth, in place of paths.
    public var branching: [Int]?
    public var rules: [CouplingRule] = [.specinfer]
    public var parameters = CouplingParameters(tolerance: 1e-3, freeTokens: 16)
    /// Tokens to decode.
    public var tokens = 200
    /// Text to begin with.
    public var prompt = ""
    /// What is made of the target's scores: the law that is decoded.
    public var truncation = LogitsTruncation()
    /// What is made of the draft's.
    public var draftTruncation = LogitsTruncation()
    /// Of a checkpoint's large products.
    public var precision = Precision.f32
    /// That a checkpoint's calls are shared out among.
    public var threads = Processors.available
    public var seed: UInt64 = 0
    /// Next-token laws whose match probabilities `TokenLawPairs` compares.
    public var pairs = 0

    public init() {}

    /// Finds out what cannot be before any file is read.
    public func check() throws(RecipeError) {
        guard pairs >= 0 else { throw RecipeError("pairs", "must be at least 0, found \(pairs).") }
        try DecodingOutput.tokenCounts.check(Double(tokens), setting: "tokens")
        try NGramModel.orders.check(Double(order), setting: "order")
        try NGramModel.orders.check(Double(draftOrder), setting: "draft-order")
        try DecodingOutput.lookaheads.check(Double(lookahead), setting: "lookahead")
        try MultiDraftProblem.draftCounts.check(Double(drafts), setting: "drafts")
        try Self.check(truncation, prefix: "")
        try Self.check(draftTruncation, prefix: "draft-")
        guard (1...256).contains(threads) else {
            throw RecipeError("threads", "must be from 1 to 256, found \(threads).")
        }
        try parameters.check()
        guard text != nil || checkpoint != nil else { throw RecipeError("text", "or --checkpoint must be given.") }
        guard tokenizer == nil || checkpoint != nil else {
            throw RecipeError("tokenizer", "belongs to a --checkpoint, which is missing.")
        }
        guard draftCheckpoint == nil || checkpoint != nil else {
            throw RecipeError("draft-checkpoint", "belongs to a --checkpoint, which is missing.")
        }
        guard draftCheckpoint == nil || text == nil else {
            throw RecipeError("draft-checkpoint", "and --text are two drafts of a checkpoint; give one.")
        }
        _ = try shape()
        guard branching == nil || !rules.contains(.gumbel) else {
            throw RecipeError("branching", "is for rules that verify drafts; gumbel takes --drafts.")
        }
        for rule in rules { try rule.check(scheme) }
        for rule in rules where !rule.isForDecoding {
            throw RecipeError(
                "rule", "\(rule.rawValue) is a coupling of two parties; decode knows gumbel for that.")
        }
    }

    func shape() throws(RecipeError) -> DraftTreeShape {
        guard let branching else { return .paths(drafts, scheme: scheme) }
        do { return try .tree(branching: branching, scheme: scheme) } catch {
            throw RecipeError("branching", "\(error).")
        }
    }

    private static func check(_ truncation: LogitsTruncation, prefix: String) throws(RecipeError) {
        try LogitsTruncation.temperatures.check(truncation.temperature, setting: "\(prefix)token-temperature")
        if let topK = truncation.topK { try LogitsTruncation.topKs.check(Double(topK), setting: "\(prefix)top-k") }
        if let topP = truncation.topP { try LogitsTruncation.topPs.check(topP, setting: "\(prefix)top-p") }
        if let minP = truncation.minP { try LogitsTruncation.minPs.check(minP, setting: "\(prefix)min-p") }
    }
}
