import Couplings
import FiniteAlphabets

/// Speculative decoding of token sequences: a draft model proposes, the target decides.
///
/// Two modes. `decode(…randomness:)` drafts a tree of L levels, such as n paths, and walks down it by a multi-draft rule (SpecTr,
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

    /// Decodes `count` tokens after `prompt` with a tree of drafts and a rule, which is made for each decision, of the laws on the tokens
    /// that either can be.
    ///
    /// What is drafted after a node depends on nothing that was drawn elsewhere, so that the rule meets drafts of the node's own
    /// law and scheme, whatever led there. Of several paths as many go on from a node as have come to it.
    public mutating func decode(
        prompt: [Int], count: Int, shape: DraftTreeShape, rule: (MultiDraftProblem) throws -> any MultiDraftRule,
        randomness: inout RandomStream
    ) throws -> DecodingOutput {
        try check(count: count, paths: shape.pathCount)
        var output = DecodingOutput()
        var context = prompt
        while !output.isDone(count, endTokens) {
            let length = draftLength(after: context, remaining: count - output.tokens.count)
            let drafts = try draftTree(after: context, length: length, shape, randomness: &randomness)
            let laws = try target.laws(
                after: context, tree: drafts.tree, nodes: 0..<drafts.tree.count, truncation: truncation)
            output.targetCalls += 1
            var node = 0
            while true {
                guard let drafted = drafts.drawn(after: node) else {
                    // All drafts are used up: one more token, from the target's own law.
                    output.append(laws[node].sample(randomness: &randomness), to: &context)
                    break
                }
                let sparse = try SparseProblem(
                    target: laws[node], drafts: Array(repeating: drafts.laws[node], count: drafted.count),
                    scheme: drafted.count == 1 ? .independent : shape.scheme)
                let made = try rule(sparse.problem)
                let selection = try made.select(
                    from: drafted.map { sparse.index(of: $0) ?? 0 }, randomness: &randomness)
                let token = sparse.tokens[selection.token]
                output.decisions += 1
                output.isExact = output.isExact && made.isExact
                if selection.isAccepted { output.accepted += 1 }
                if made.earlyTermination != nil { output.fallbacks += 1 }
                output.append(token, to: &context)
                guard let next = drafts.tree.child(of: node, token: token), !output.isDone(count, endTokens) else {
                    break
                }
                node = next
            }
        }
        return output
    }

    /// A tree of drafted tokens, with the laws that they are from.
    private struct Drafts {
        var tree = TokenTree()
        /// Of each node that tokens were drafted after.
        var laws: [SparseLaw] = []
        /// The tokens drafted after each of these, in the order in which they were drawn.
        var drawn: [[Int]] = []

        func drawn(after node: Int) -> [Int]? { node < drawn.count ? drawn[node] : nil }
    }

    /// Drafts level by level; the draft scores each in one call.
    private mutating func draftTree(
        after context: [Int], length: Int, _ shape: DraftTreeShape, randomness: inout RandomStream
    ) throws -> Drafts {
        var drafts = Drafts()
        // How often each node was drafted.
        var repeats = [1]
        for depth in 0..<length {
            let level = drafts.drawn.count..<drafts.tree.count
            drafts.laws += try draft.laws(
                after: context, tree: drafts.tree, nodes: level, truncation: draftTruncation)
            for node in level {
                let tokens = try drafts.laws[node].drafts(
                    shape.draws(depth: depth, repeats: repeats[node]), scheme: shape.scheme, randomness: &randomness)
                drafts.drawn.append(tokens)
                for token in tokens {
                    let child = drafts.tree.add(token, after: node)
                    if child == repeats.count { repeats.append(1) } else { repeats[child] += 1 }
                }
            }
        }
        return drafts
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
