import Couplings
import FiniteAlphabets

/// Speculative decoding of token sequences: a draft model proposes, the target decides.
///
/// Two modes. `decode(…randomness:)` drafts n paths of L tokens and walks down their tree by a multi-draft rule (SpecTr,
/// Sun et al. 2023; IW and GR, multi-step): the tokens follow the target's law as far as each rule does, see
/// `DecodingOutput.isExact`. `decodeInvariantly` couples draft and target by Gumbel (CWC, Section 5): besides, they are a
/// function of the seed and the target alone.
public struct SpeculativeDecoder<Target: TokenModel, Draft: TokenModel> {
    private var target: Target
    private var draft: Draft
    /// L, the length of a drafted path.
    public let lookahead: Int
    /// The tokens at which decoding ends, if any.
    public let endTokens: Set<Int>

    /// - Throws: `TokenModelError` where the vocabularies differ or L < 1.
    public init(
        target: Target, draft: Draft, lookahead: Int, endTokens: Set<Int> = []
    ) throws(TokenModelError) {
        guard target.vocabularySize == draft.vocabularySize else {
            throw .vocabulariesDiffer(target: target.vocabularySize, draft: draft.vocabularySize)
        }
        try DecodingOutput.lookaheads.checkForModel(Double(lookahead))
        self.target = target
        self.draft = draft
        self.lookahead = lookahead
        self.endTokens = endTokens
    }

    /// Decodes `count` tokens after `prompt` with n paths and a rule, which is made for each decision.
    ///
    /// Paths are drawn independently; those that survive a decision still hold independent draws of the draft after
    /// the common prefix, so the rule meets as many i.i.d. drafts as there are survivors.
    public mutating func decode(
        prompt: [Int], count: Int, paths: Int, rule: (MultiDraftProblem) throws -> any MultiDraftRule,
        randomness: inout RandomStream
    ) throws -> DecodingOutput {
        try check(count: count, paths: paths)
        var output = DecodingOutput()
        var context = prompt
        while !isDone(output, count) {
            var drafted: [[Int]] = []
            var draftLaws: [[Int]: FiniteDistribution] = [:]
            let length = min(lookahead, count - output.tokens.count)
            for _ in 0..<paths {
                var path: [Int] = []
                while path.count < length {
                    let law = try draftLaws[path] ?? draft.nextDistribution(after: context + path)
                    draftLaws[path] = law
                    path.append(law.sample(randomness: &randomness))
                }
                drafted.append(path)
            }
            output.targetCalls += 1
            var prefix: [Int] = []
            while !isDone(output, count) {
                let law = try target.nextDistribution(after: context)
                guard prefix.count < length, let draftLaw = draftLaws[prefix] else {
                    // All drafts are used up: one more token, from the target's own law.
                    append(law.sample(randomness: &randomness), to: &output, &context)
                    break
                }
                let made = try rule(MultiDraftProblem(target: law, draft: draftLaw, count: drafted.count))
                let selection = try made.select(from: drafted.map { $0[prefix.count] }, randomness: &randomness)
                output.decisions += 1
                output.isExact = output.isExact && made.isExact
                if selection.isAccepted { output.accepted += 1 }
                if made.earlyTermination != nil { output.fallbacks += 1 }
                append(selection.token, to: &output, &context)
                drafted = drafted.filter { $0[prefix.count] == selection.token }
                if drafted.isEmpty { break }
                prefix.append(selection.token)
            }
        }
        return output
    }

    /// Decodes `count` tokens after `prompt` drafter-invariantly: token t is the target's Gumbel choice under the
    /// numbers of position t, and the draft guesses with the same numbers.
    /// - Parameters:
    ///   - prompt: tokens to begin with.
    ///   - count: how many tokens to decode.
    ///   - randomness: the stream of each position, counted from the prompt's end.
    public mutating func decodeInvariantly(
        prompt: [Int], count: Int, randomness: (_ position: Int) -> RandomStream
    ) throws -> DecodingOutput {
        try check(count: count, paths: 1)
        var output = DecodingOutput()
        var context = prompt
        func choice(_ law: FiniteDistribution, _ position: Int) throws -> Int {
            var randomness = randomness(position)
            let uniforms = GumbelCoupling.uniforms(count: law.count, randomness: &randomness)
            return try GumbelCoupling.token(of: law, uniforms: uniforms)
        }
        while !isDone(output, count) {
            var path: [Int] = []
            while path.count < min(lookahead, count - output.tokens.count) {
                let law = try draft.nextDistribution(after: context + path)
                path.append(try choice(law, output.tokens.count + path.count))
            }
            output.targetCalls += 1
            for guess in path.map(Optional.some) + [nil] {
                if isDone(output, count) { break }
                let token = try choice(target.nextDistribution(after: context), output.tokens.count)
                append(token, to: &output, &context)
                guard let guess else { break }
                output.decisions += 1
                if guess != token { break }
                output.accepted += 1
            }
        }
        return output
    }

    private func check(count: Int, paths: Int) throws(TokenModelError) {
        try DecodingOutput.tokenCounts.checkForModel(Double(count))
        try MultiDraftProblem.draftCounts.checkForModel(Double(paths))
    }

    private func isDone(_ output: DecodingOutput, _ count: Int) -> Bool {
        output.tokens.count >= count || output.tokens.last.map(endTokens.contains) == true
    }

    private func append(_ token: Int, to output: inout DecodingOutput, _ context: inout [Int]) {
        output.tokens.append(token)
        context.append(token)
    }
}
