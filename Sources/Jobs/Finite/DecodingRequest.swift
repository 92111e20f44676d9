import FiniteAlphabets
import Models
import TokenModels

/// What to decode, with which models, by which rules.
public struct DecodingRequest: Codable, Sendable {
    /// A text that the n-gram models learn from.
    public var text: String?
    /// A llama2.c checkpoint to be the target, and its tokenizer.
    public var checkpoint, tokenizer: String?
    /// Orders of the target's and of the draft's n-gram model.
    public var order = 6
    public var draftOrder = 3
    /// L, the length of a drafted path, and how many of them.
    public var lookahead = 4
    public var drafts = 2
    public var rules: [CouplingRule] = [.specinfer]
    public var parameters = CouplingParameters(tolerance: 1e-3, freeTokens: 16)
    /// Tokens to decode.
    public var tokens = 200
    /// Text to begin with.
    public var prompt = ""
    /// Of the target's laws.
    public var temperature = 1.0
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
        try TokenTemperature.range.check(temperature, setting: "token-temperature")
        try parameters.check()
        guard text != nil || checkpoint != nil else { throw RecipeError("text", "or --checkpoint must be given.") }
        guard (checkpoint == nil) == (tokenizer == nil) else {
            throw RecipeError("checkpoint", "and --tokenizer go together.")
        }
        for rule in rules where !rule.isForDecoding {
            throw RecipeError(
                "rule", "\(rule.rawValue) is a coupling of two parties; decode knows gumbel for that.")
        }
    }
}
