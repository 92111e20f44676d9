import FiniteAlphabets

/// What a decoding gave and what it took.
public struct DecodingOutput: Equatable, Sendable {
    /// The tokens after the prompt.
    public var tokens: [Int] = []
    /// Calls of the target: each scores all drafted paths at once.
    public var targetCalls = 0
    /// Steps at which drafts were on offer, and those at which one was taken.
    public var decisions = 0
    public var accepted = 0
    /// Rules that gave up and used their fallback (global resolution).
    public var fallbacks = 0

    /// Whether every rule had the target's law; global resolution may be within its tolerance only.
    public var isExact = true

    /// What L may be.
    public static let lookaheads = ParameterRange("the lookahead", "at least 1") { $0 >= 1 }
    /// How many tokens can be asked for.
    public static let tokenCounts = ParameterRange("the number of tokens", "at least 0") { $0 >= 0 }

    /// Nothing decoded yet.
    public init() {}

    /// Tokens per call of the target.
    public var blockEfficiency: Double { targetCalls > 0 ? Double(tokens.count) / Double(targetCalls) : 0 }
    /// The share of decisions that took a draft.
    public var acceptance: Double { decisions > 0 ? Double(accepted) / Double(decisions) : 0 }
}
