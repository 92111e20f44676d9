import Couplings
import FiniteAlphabets

/// Speculative decoding of token sequences: a draft model proposes, the target decides.
///
/// Two modes. `decode(…randomness:)` drafts n paths of L tokens and walks down their tree by a multi-draft rule (SpecTr,
/// Sun et al. 2023; IW and GR, multi-step): the tokens follow the target's law as far as each rule does, see
/// `DecodingOutput.isExact`. `decodeInvariantly` couples draft and target by Gumbel (CWC, Section 5): besides, they are a
/// function of the seed and the target alone. In both the draft scores the ends of all paths in one call, and the target the whole tree.
public struct SpeculativeDecoder<Target: TokenModel, Draft: TokenModel> {
    private var target: Target
    private var draft: Draft
    /// L, the length of a drafted path.
    public let lookahead: Int
    /// The tokens at which decoding ends, if any.
    public let endTokens: Set<Int>
    /// What is made of the target's scores: the law that is decoded.
    public let truncation: LogitsTruncation
    /// What is made of the draft's.
    public let draftTruncation: LogitsTruncation

    /// - Throws: `TokenModelError` where the vocabularies differ or L < 1.
    public init(
        target: Target, draft: Draft, lookahead: Int, endTokens: Set<Int> = [],
        truncation: LogitsTruncation = LogitsTruncation(), draftTruncation: LogitsTruncation = LogitsTruncation()
    ) throws(TokenModelError) {
        guard target.vocabularySize == draft.vocabularySize else {
            throw .vocabulariesDiffer(target: target.vocabularySize, draft: draft.vocabularySize)
        }
        try DecodingOutput.lookaheads.checkForModel(Double(lookahead))
        (self.target, self.draft, self.lookahead, self.endTokens) = (target, draft, lookahead, endTokens)
        (self.truncation, self.draftTruncation) = (truncation, draftTruncation)
    }

    /// Decodes `count` tokens after `prompt` with n paths and a rule, which is made for each decision, of the laws on the tokens that
    /// either can be.
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
        while !output.isDone(count, endTokens) {
            let length = draftLength(after: context, remaining: count - output.tokens.count)
            var tree = TokenTree()
            var draftLaws: [SparseLaw] = []
            // The tokens of each path, and the node they lead to.
            var drafted = Array(repeating: [Int](), count: paths)
            var ends = Array(repeating: 0, count: paths)
            for _ in 0..<length {
                draftLaws += try draft.laws(
                    after: context, tree: tree, nodes: draftLaws.count..<tree.count, truncation: draftTruncation)
                for path in drafted.indices {
                    let token = draftLaws[ends[path]].sample(randomness: &randomness)
                    drafted[path].append(token)
                    ends[path] = tree.add(token, after: ends[path])
                }
            }
            let laws = try target.laws(
                after: context, tree: tree, nodes: 0..<tree.count, truncation: truncation)
            output.targetCalls += 1
            var node = 0
            for place in 0...length {
                guard place < length else {
                    // All drafts are used up: one more token, from the target's own law.
                    output.append(laws[node].sample(randomness: &randomness), to: &context)
                    break
                }
                let sparse = try SparseProblem(
                    target: laws[node], drafts: Array(repeating: draftLaws[node], count: drafted.count))
                let made = try rule(sparse.problem)
                let selection = try made.select(
                    from: drafted.map { sparse.index(of: $0[place]) ?? 0 }, randomness: &randomness)
                let token = sparse.tokens[selection.token]
                output.decisions += 1
                output.isExact = output.isExact && made.isExact
                if selection.isAccepted { output.accepted += 1 }
                if made.earlyTermination != nil { output.fallbacks += 1 }
                output.append(token, to: &context)
                drafted = drafted.filter { $0[place] == token }
                guard let next = tree.child(of: node, token: token), !output.isDone(count, endTokens) else { break }
                node = next
            }
        }
        return output
    }

    /// Decodes `count` tokens after `prompt` drafter-invariantly: token t is the target's Gumbel choice under the
    /// numbers of position t, and the draft guesses with the same numbers.
    /// - Parameters:
    ///   - prompt: tokens to begin with.
    ///   - count: how many tokens to decode.
    ///   - paths: n: the first guess is any of the draft's n best, each of which is one path's.
    ///   - randomness: the stream of each position, counted from the prompt's end.
    public mutating func decodeInvariantly(
        prompt: [Int], count: Int, paths: Int = 1, randomness: (_ position: Int) -> RandomStream
    ) throws -> DecodingOutput {
        try check(count: count, paths: paths)
        var output = DecodingOutput()
        var context = prompt
        while !output.isDone(count, endTokens) {
            let length = draftLength(after: context, remaining: count - output.tokens.count)
            var tree = TokenTree()
            var ends = [0]
            for place in 0..<length {
                let numbers = randomness(output.tokens.count + place)
                let scored = tree.count - ends.count..<tree.count
                let laws = try draft.laws(after: context, tree: tree, nodes: scored, truncation: draftTruncation)
                ends = zip(ends, laws).flatMap { end, law in
                    GumbelCoupling.tokens(of: law, numbers: numbers, count: place == 0 ? paths : 1)
                        .map { tree.add($0, after: end) }
                }
            }
            let laws = try target.laws(
                after: context, tree: tree, nodes: 0..<tree.count, truncation: truncation)
            output.targetCalls += 1
            var node = 0
            for place in 0...length {
                let numbers = randomness(output.tokens.count)
                let token = GumbelCoupling.tokens(of: laws[node], numbers: numbers, count: 1)[0]
                output.append(token, to: &context)
                guard place < length else { break }
                output.decisions += 1
                guard let next = tree.child(of: node, token: token) else { break }
                output.accepted += 1
                if output.isDone(count, endTokens) { break }
                node = next
            }
        }
        return output
    }

    private func check(count: Int, paths: Int) throws(TokenModelError) {
        try DecodingOutput.tokenCounts.checkForModel(Double(count))
        try MultiDraftProblem.draftCounts.checkForModel(Double(paths))
    }

    /// How many tokens to draft: with the target's own there shall not be more than remain, and neither model shall meet a text longer
    /// than it was made for.
    private func draftLength(after context: [Int], remaining: Int) -> Int {
        var length = min(lookahead, remaining - 1)
        if let limit = draft.contextLength { length = min(length, limit - context.count + 1) }
        if let limit = target.contextLength { length = min(length, limit - context.count) }
        return max(0, length)
    }
}

/// Decoding a token at a time, without drafts: what speculation is to be compared with.
public struct PlainDecoder<Model: TokenModel> {
    private var model: Model
    public let endTokens: Set<Int>
    public let truncation: LogitsTruncation

    public init(_ model: Model, endTokens: Set<Int> = [], truncation: LogitsTruncation = LogitsTruncation()) {
        (self.model, self.endTokens, self.truncation) = (model, endTokens, truncation)
    }

    /// Decodes `count` tokens after `prompt`.
    /// - Throws: `TokenModelError`, and whatever the model throws.
    public mutating func decode(
        prompt: [Int], count: Int, randomness: inout RandomStream
    ) throws -> DecodingOutput {
        try DecodingOutput.tokenCounts.checkForModel(Double(count))
        var output = DecodingOutput()
        var context = prompt
        while !output.isDone(count, endTokens) {
            let law = try model.law(after: context, truncation: truncation)
            output.targetCalls += 1
            output.append(law.sample(randomness: &randomness), to: &context)
        }
        return output
    }
}

extension DecodingOutput {
    fileprivate func isDone(_ count: Int, _ endTokens: Set<Int>) -> Bool {
        tokens.count >= count || tokens.last.map(endTokens.contains) == true
    }

    fileprivate mutating func append(_ token: Int, to context: inout [Int]) {
        tokens.append(token)
        context.append(token)
    }
}
