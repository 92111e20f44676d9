import Couplings
import FiniteAlphabets
import Testing
import TokenModels

@Suite("Speculative decoding")
struct SpeculativeDecoderTests {
    static let rules: [(name: String, make: @Sendable (MultiDraftProblem) throws -> any MultiDraftRule)] = [
        ("naive", { try NaiveRule($0) }),
        ("K-SEQ", { try KSequentialRule($0) }),
        ("recursive rejection", { try RecursiveRejectionRule($0) }),
        ("importance", { try ImportanceWeightedRule($0) }),
        ("max-flow", { try MaxFlowTransport($0) }),
        ("global resolution", { try GlobalResolution($0) }),
    ]

    /// Accepts every first draft: wrong.
    struct CredulousRule: FixedResidualRule {
        let isExact = false
        let problem: MultiDraftProblem
        var residual: FiniteDistribution? { nil }
        func takingProbabilities(of drafts: [Int]) -> [Double] { [1] + Array(repeating: 0, count: drafts.count - 1) }
    }

    /// The law of the first three tokens, by the chain rule.
    static func exactLaw(
        _ model: RandomModel, _ truncation: LogitsTruncation = LogitsTruncation()
    ) throws -> [[Int]: Double] {
        var model = model
        var law: [[Int]: Double] = [[]: 1]
        for _ in 0..<3 {
            var next: [[Int]: Double] = [:]
            for (context, probability) in law {
                let following = try model.law(after: context, truncation: truncation)
                for (token, share) in zip(following.tokens, following.probabilities) {
                    next[context + [token]] = probability * share
                }
            }
            law = next
        }
        return law
    }

    static let draws = 20_000

    /// Total variation of the empirical law of three tokens from the exact one.
    static func distance(
        lookahead: Int, shape: DraftTreeShape = .paths(2), rule: (MultiDraftProblem) throws -> any MultiDraftRule
    ) throws -> Double {
        let target = RandomModel(vocabularySize: 3, seed: 0)
        var decoder = try SpeculativeDecoder(
            target: target, draft: RandomModel(vocabularySize: 3, seed: 9, independence: 0.7), lookahead: lookahead)
        var counts: [[Int]: Double] = [:]
        for draw in 0..<draws {
            var generator = RandomSource(seed: 1).stream(sample: draw, step: 0, purpose: .auxiliary)
            counts[
                try decoder.decode(prompt: [], count: 3, shape: shape, rule: rule, randomness: &generator).tokens,
                default: 0] += 1
        }
        return try exactLaw(target).reduce(0) { $0 + abs(counts[$1.key, default: 0] / Double(draws) - $1.value) } / 2
    }

    // 27 outcomes: the mean of the empirical total variation is below ½ √(27/20000) = 0.018, and it hardly ever
    // exceeds 0.03.
    @Test("three tokens follow the target's law by every rule", arguments: rules.indices, [1, 2, 4])
    func law(rule: Int, lookahead: Int) throws {
        #expect(try Self.distance(lookahead: lookahead, rule: Self.rules[rule].make) < 0.03, "\(Self.rules[rule].name)")
    }

    @Test("trees, drafts without replacement and greedy ones follow it too", arguments: DraftScheme.allCases)
    func shapes(scheme: DraftScheme) throws {
        func rule(_ problem: MultiDraftProblem) throws -> any MultiDraftRule {
            try CouplingParameters().multiDraftRule(.specinfer, problem) ?? NaiveRule(problem)
        }
        for shape in [DraftTreeShape.paths(2, scheme: scheme), try .tree(branching: [3, 2], scheme: scheme)] {
            #expect(try Self.distance(lookahead: 2, shape: shape, rule: rule) < 0.03)
        }
    }

    @Test("trees that cannot be are refused")
    func badShapes() {
        for branching in [[], [0], [-1, 2], [5000], [64, 65], Array(repeating: 1, count: 65)] {
            #expect(throws: TokenModelError.self) { try DraftTreeShape.tree(branching: branching, scheme: .greedy) }
        }
    }

    @Test("the negative control is found out")
    func negativeControl() throws {
        #expect(try Self.distance(lookahead: 2) { CredulousRule(problem: $0) } > 0.1)
    }

    static func invariant(
        draft: some TokenModel, lookahead: Int, paths: Int = 1, seed: UInt64
    ) throws -> DecodingOutput {
        let vocabulary = ByteVocabulary(of: TestText.english)
        let tokens = try vocabulary.encode(TestText.english)
        let target = try NGramModel(order: 5, vocabularySize: vocabulary.count, trainedOn: tokens)
        var decoder = try SpeculativeDecoder(target: target, draft: draft, lookahead: lookahead)
        return try decoder.decodeInvariantly(prompt: [], count: 120, paths: paths) {
            RandomSource(seed: seed).stream(sample: 0, step: $0, purpose: .auxiliary)
        }
    }

    @Test(
        "drafter-invariant: one text for three drafters, any lookahead and number of paths; the ordinary rule gives three"
    )
    func drafterInvariance() throws {
        let vocabulary = ByteVocabulary(of: TestText.english)
        let tokens = try vocabulary.encode(TestText.english)
        let drafts = try [1, 2, 4].map {
            try NGramModel(order: $0, vocabularySize: vocabulary.count, trainedOn: tokens)
        }
        var texts = Set<[Int]>()
        for draft in drafts {
            for lookahead in [1, 2, 5, 200] {
                for paths in [1, 3] {
                    let output = try Self.invariant(draft: draft, lookahead: lookahead, paths: paths, seed: 4)
                    #expect(output.tokens.count == 120)
                    texts.insert(output.tokens)
                }
            }
        }
        texts.insert(
            try Self.invariant(draft: RandomModel(vocabularySize: vocabulary.count, seed: 5), lookahead: 3, seed: 4)
                .tokens)
        #expect(texts.count == 1)
        #expect(try Self.invariant(draft: drafts[0], lookahead: 2, seed: 5).tokens != texts.first)

        let target = try NGramModel(order: 5, vocabularySize: vocabulary.count, trainedOn: tokens)
        let ordinary = try Set(
            drafts.map { draft in
                var decoder = try SpeculativeDecoder(target: target, draft: draft, lookahead: 3)
                var generator = RandomSource(seed: 4).stream(sample: 0, step: 0, purpose: .auxiliary)
                return try decoder.decode(
                    prompt: [], count: 120, shape: .paths(1), rule: { try NaiveRule($0) }, randomness: &generator
                ).tokens
            })
        #expect(ordinary.count == 3)
    }

    /// Of a draft that knows little, more guesses at the first token are right more often.
    @Test("more drafter-invariant paths take more tokens a call")
    func invariantPaths() throws {
        let vocabulary = ByteVocabulary(of: TestText.english)
        let draft = try NGramModel(
            order: 1, vocabularySize: vocabulary.count, trainedOn: vocabulary.encode(TestText.english))
        let one = try Self.invariant(draft: draft, lookahead: 2, seed: 3)
        let eight = try Self.invariant(draft: draft, lookahead: 2, paths: 8, seed: 3)
        #expect(one.tokens == eight.tokens)
        #expect(eight.targetCalls < one.targetCalls)
    }

    /// The law that is decoded is the truncated one, whatever the draft's truncation.
    @Test("truncated laws: three tokens follow the target's, and the other law is found out")
    func truncatedLaw() throws {
        let target = RandomModel(vocabularySize: 4, seed: 0)
        var (truncation, draftTruncation) = (LogitsTruncation(), LogitsTruncation())
        (truncation.temperature, truncation.topK, draftTruncation.topP) = (0.8, 3, 0.7)
        var decoder = try SpeculativeDecoder(
            target: target, draft: RandomModel(vocabularySize: 4, seed: 9, independence: 0.7), lookahead: 2,
            truncation: truncation, draftTruncation: draftTruncation)
        var counts: [[Int]: Double] = [:]
        for draw in 0..<Self.draws {
            var generator = RandomSource(seed: 2).stream(sample: draw, step: 0, purpose: .auxiliary)
            let output = try decoder.decode(
                prompt: [], count: 3, shape: .paths(2), rule: { try RecursiveRejectionRule($0) }, randomness: &generator
            )
            counts[output.tokens, default: 0] += 1
        }
        // As in `law`: 27 outcomes.
        #expect(try Self.totalVariation(counts, Self.exactLaw(target, truncation)) < 0.03)
        #expect(try Self.totalVariation(counts, Self.exactLaw(target)) > 0.1)
    }

    static func totalVariation(_ counts: [[Int]: Double], _ law: [[Int]: Double]) -> Double {
        Set(counts.keys).union(law.keys).reduce(0) {
            $0 + abs(counts[$1, default: 0] / Double(draws) - law[$1, default: 0])
        } / 2
    }

    /// Every node's law is asked for once, and one call of the target scores a step's whole tree.
    @Test("a step is one call of the target, and a level of the tree one call of the draft")
    func calls() throws {
        final class Count { var calls: [Range<Int>] = [] }
        struct Counted: TokenModel {
            var base = RandomModel(vocabularySize: 5, seed: 0)
            let count: Count
            var vocabularySize: Int { 5 }
            mutating func laws(
                after context: [Int], tree: TokenTree, nodes: Range<Int>, truncation: LogitsTruncation
            ) throws -> [SparseLaw] {
                count.calls.append(nodes)
                return try base.laws(after: context, tree: tree, nodes: nodes, truncation: truncation)
            }
        }
        let (target, draft) = (Count(), Count())
        var decoder = try SpeculativeDecoder(
            target: Counted(count: target), draft: Counted(count: draft), lookahead: 3)
        var generator = RandomSource(seed: 2).stream(sample: 0, step: 0, purpose: .auxiliary)
        let output = try decoder.decode(
            prompt: [], count: 400, shape: .paths(3), rule: { try RecursiveRejectionRule($0) }, randomness: &generator)
        #expect(target.calls.count == output.targetCalls)
        #expect(target.calls.allSatisfy { $0.lowerBound == 0 && $0.count <= 10 })
        #expect(draft.calls.count <= 3 * output.targetCalls)
    }

    @Test("a draft equal to the target is always accepted: L + 1 tokens a call")
    func perfectDraft() throws {
        let model = RandomModel(vocabularySize: 6, seed: 0)
        var decoder = try SpeculativeDecoder(target: model, draft: model, lookahead: 4)
        var generator = RandomSource(seed: 2).stream(sample: 0, step: 0, purpose: .auxiliary)
        let output = try decoder.decode(
            prompt: [], count: 100, shape: .paths(1), rule: { try NaiveRule($0) }, randomness: &generator)
        #expect(output.targetCalls == 20)
        #expect(output.acceptance == 1)
        let invariant = try decoder.decodeInvariantly(prompt: [], count: 100) {
            RandomSource(seed: 2).stream(sample: 0, step: $0, purpose: .auxiliary)
        }
        #expect(invariant.targetCalls == 20)
        #expect(invariant.blockEfficiency == 5)
    }

    @Test("more drafts and better rules take more tokens a call")
    func blockEfficiency() throws {
        let target = RandomModel(vocabularySize: 20, seed: 0)
        let draft = RandomModel(vocabularySize: 20, seed: 3, independence: 0.6)
        func efficiency(_ paths: Int, _ rule: (MultiDraftProblem) throws -> any MultiDraftRule) throws -> Double {
            var decoder = try SpeculativeDecoder(target: target, draft: draft, lookahead: 5)
            var generator = RandomSource(seed: 2).stream(sample: 0, step: 0, purpose: .auxiliary)
            return try decoder.decode(prompt: [], count: 6000, shape: .paths(paths), rule: rule, randomness: &generator)
                .blockEfficiency
        }
        // Standard errors are about 0.03 at 2000 calls.
        let naive = try efficiency(1) { try NaiveRule($0) }
        let two = try efficiency(2) { try GlobalResolution($0, configuration: .init(tolerance: 1e-3)) }
        let four = try efficiency(4) { try GlobalResolution($0, configuration: .init(tolerance: 1e-3)) }
        #expect(two > naive + 0.1)
        #expect(four > two + 0.1)
    }

    @Test("decoding ends at an end token; bad input is named")
    func endsAndErrors() throws {
        let model = RandomModel(vocabularySize: 4, seed: 0)
        var decoder = try SpeculativeDecoder(target: model, draft: model, lookahead: 3, endTokens: [2])
        var generator = RandomSource(seed: 2).stream(sample: 0, step: 0, purpose: .auxiliary)
        let output = try decoder.decode(
            prompt: [], count: 1000, shape: .paths(2), rule: { try NaiveRule($0) }, randomness: &generator)
        #expect(output.tokens.firstIndex(of: 2) == output.tokens.count - 1)
        #expect(
            try decoder.decode(
                prompt: [], count: 0, shape: .paths(1), rule: { try NaiveRule($0) }, randomness: &generator)
                == DecodingOutput())
        #expect(throws: TokenModelError.self) {
            try decoder.decode(
                prompt: [], count: 5, shape: .paths(0), rule: { try NaiveRule($0) }, randomness: &generator)
        }
        #expect(throws: TokenModelError.self) {
            try decoder.decode(
                prompt: [], count: -1, shape: .paths(1), rule: { try NaiveRule($0) }, randomness: &generator)
        }
        #expect(throws: TokenModelError.vocabulariesDiffer(target: 4, draft: 5)) {
            try SpeculativeDecoder(target: model, draft: RandomModel(vocabularySize: 5, seed: 0), lookahead: 1)
        }
        #expect(throws: TokenModelError.self) { try SpeculativeDecoder(target: model, draft: model, lookahead: 0) }
    }
}
