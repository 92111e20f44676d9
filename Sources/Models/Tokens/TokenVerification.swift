import Couplings
import FiniteAlphabets

/// The verification of drafted tokens: which token comes out of a target's law, several drafts and their laws. A decoder in another
/// program or language asks for it, a token at a time.
public struct TokenVerification: Sendable {
    public let rule: CouplingRule
    public let parameters: CouplingParameters

    public struct Decision: Equatable, Sendable {
        public let token: Int
        /// Which of the drafts was taken; nil if none was.
        public let draft: Int?
        /// Whether the token has the target's law.
        public let isExact: Bool
    }

    /// - Throws: `RecipeError` for a rule that verifies no drafted tokens, and for parameters out of range.
    public init(rule: CouplingRule, parameters: CouplingParameters = .init()) throws(RecipeError) {
        try parameters.check()
        guard rule.choosesAmongDrafts else {
            throw RecipeError(
                "rule", "\(rule.rawValue) couples two parties that draw for themselves; it verifies no drafted tokens.")
        }
        (self.rule, self.parameters) = (rule, parameters)
    }

    /// What comes out is a function of the arguments alone.
    /// - Parameters:
    ///   - target: q.
    ///   - drafts: p of each drafted token.
    ///   - drafted: the tokens that were drawn from them, as many.
    ///   - seed: all randomness is a function of it and of the position.
    ///   - position: of the token in its text, at least 0.
    /// - Throws: `CouplingError` for laws that do not fit each other and for problems that are too large for the rule;
    ///   `RecipeError` for a drafted token that its own law cannot have drawn.
    public func decision(
        target: SparseLaw, drafts: [SparseLaw], drafted: [Int], seed: UInt64, position: Int
    ) throws -> Decision {
        guard !drafted.isEmpty, drafts.count == drafted.count else {
            throw RecipeError(
                "drafted", "must be one token for each of the \(drafts.count) laws, found \(drafted.count).")
        }
        guard position >= 0 else { throw RecipeError("position", "must be at least 0, found \(position).") }
        let sparse = try SparseProblem(target: target, drafts: drafts)
        let places = try zip(drafted, drafts).enumerated().map { number, pair in
            let (token, law) = pair
            guard (0..<law.vocabularySize).contains(token) else {
                throw CouplingError.tokenOutOfRange(
                    name: "drafted token \(number)", token: token, vocabularySize: law.vocabularySize)
            }
            guard let place = sparse.index(of: token), sparse.problem.drafts[number][place] > 0 else {
                throw RecipeError("drafted", "token \(number), \(token), has no probability by its own law.")
            }
            return place
        }
        guard let coupling = try parameters.multiDraftRule(rule, sparse.problem) else {
            throw RecipeError("rule", "\(rule.rawValue) verifies no drafted tokens.")
        }
        var randomness = RandomSource(seed: seed).stream(
            sample: position >> 31, step: position & 0x7FFF_FFFF, purpose: .verification)
        let selection = try coupling.select(from: places, randomness: &randomness)
        return Decision(
            token: sparse.tokens[selection.token],
            draft: selection.isAccepted ? places.firstIndex(of: selection.token) : nil, isExact: coupling.isExact)
    }
}
