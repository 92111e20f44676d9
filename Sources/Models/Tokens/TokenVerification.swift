import Couplings
import FiniteAlphabets

/// The verification of drafted tokens: which token comes out of a target's law, several drafts and their laws. A decoder in another
/// program or language asks for it, a token at a time.
public struct TokenVerification: Sendable {
    public let rule: CouplingRule
    public let parameters: CouplingParameters
    /// How the tokens were drafted.
    public let scheme: DraftScheme

    public struct Decision: Equatable, Sendable {
        public let token: Int
        /// Which of the drafts was taken; nil if none was.
        public let draft: Int?
        /// Whether the token has the target's law.
        public let isExact: Bool
    }

    /// - Throws: `RecipeError` for a rule that verifies no tokens drafted in this way, and for parameters out of range.
    public init(
        rule: CouplingRule, parameters: CouplingParameters = .init(), scheme: DraftScheme = .independent
    ) throws(RecipeError) {
        try parameters.check()
        guard rule.choosesAmongDrafts else {
            throw RecipeError(
                "rule", "\(rule.rawValue) couples two parties that draw for themselves; it verifies no drafted tokens.")
        }
        try rule.check(scheme)
        (self.rule, self.parameters, self.scheme) = (rule, parameters, scheme)
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
        let sparse = try SparseProblem(target: target, drafts: drafts, scheme: scheme)
        guard sparse.problem.draftCount == drafted.count else {
            throw RecipeError(
                "drafted",
                "has \(drafted.count) tokens where the law has \(sparse.problem.draftCount) to be drafted once.")
        }
        var places: [Int] = []
        for (number, token) in drafted.enumerated() {
            guard (0..<target.vocabularySize).contains(token) else {
                throw CouplingError.tokenOutOfRange(
                    name: "drafted token \(number)", token: token, vocabularySize: target.vocabularySize)
            }
            guard let place = sparse.index(of: token), let law = try sparse.problem.nextDraft(after: places),
                law[place] > 0
            else {
                let reason = scheme == .independent ? "by its own law" : "by its law, drafted \(scheme.rawValue)"
                throw RecipeError("drafted", "token \(number), \(token), has no probability \(reason).")
            }
            places.append(place)
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
