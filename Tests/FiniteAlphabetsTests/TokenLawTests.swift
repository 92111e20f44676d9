import Couplings
import Foundation
import Testing

@testable import FiniteAlphabets

@Suite("Laws of tokens from scores")
struct TokenLawTests {
    struct Case: Sendable {
        let temperature: Double
        let topK: Int?
        let topP, minP: Double?
        let logits: [Float]
        let law: [Int: Double]
    }

    /// What the warpers of transformers 5.24 make of these scores in their order; of ties with the k-th score all are kept.
    static let cases = [
        Case(
            temperature: 1, topK: nil, topP: nil, minP: nil,
            logits: [
                -0.25, 1.0625, -2.375, 0.1875, 2, -0.875, 4.875, -4.8125, 1.1875, 1.8125, 2.25, -0.125, -1.0625, 1.5,
                -0.25, -5.4375, 1.4375, 0.625, 1, 4.0625, 1.125, 0.0625, 2.3125, -0.3125,
            ],
            law: [
                0: 0.003102332, 1: 0.011526562, 2: 0.000370521, 3: 0.004804986, 4: 0.029434108, 5: 0.001660559,
                6: 0.521732045, 7: 0.000032376, 8: 0.013061306, 9: 0.024401732, 10: 0.037794143, 11: 0.003515403,
                12: 0.001376652, 13: 0.017852689, 14: 0.003102332, 15: 0.000017329, 16: 0.016771049, 17: 0.007442108,
                18: 0.010828203, 19: 0.231517192, 20: 0.012269962, 21: 0.004240385, 22: 0.040231655, 23: 0.002914371,
            ]),
        Case(
            temperature: 0.7, topK: nil, topP: nil, minP: nil,
            logits: [
                -3.5625, 3.0625, 0.1875, -0.5625, -4.5625, 2.75, 0.75, -2.0625, -0.25, -1.25, 1.25, -0.75, -4.75,
                4.1875, -3.125, 3.4375, 1.5625, -0.0625, -3.375, -1.4375, -1.875, -2.375, -2.6875, -5.6875,
            ],
            law: [
                0: 0.000009000, 1: 0.116018856, 2: 0.001909058, 3: 0.000653888, 4: 0.000002157, 5: 0.074241567,
                6: 0.004263887, 7: 0.000076714, 8: 0.001021845, 9: 0.000244886, 10: 0.008709958, 11: 0.000500236,
                12: 0.000001650, 13: 0.578764499, 14: 0.000016814, 15: 0.198237713, 16: 0.013611236, 17: 0.001335715,
                18: 0.000011764, 19: 0.000187342, 20: 0.000100277, 21: 0.000049090, 22: 0.000031413, 23: 0.000000432,
            ]),
        Case(
            temperature: 1.3, topK: 5, topP: nil, minP: nil,
            logits: [
                0.5625, -0.5625, -0.25, 2.3125, 5.9375, 1.0625, -4.1875, 2.3125, 2, 1.875, 1.3125, 2.3125, 4.6875,
                1.625, -4.3125, 4.9375, 3.5, 1.75, 2.3125, 1.1875, -2.5625, -0.625, 2, -1,
            ],
            law: [
                3: 0.027400117, 4: 0.445416127, 7: 0.027400117, 11: 0.027400117, 12: 0.170284473, 15: 0.206392174,
                16: 0.068306759, 18: 0.027400117,
            ]),
        Case(
            temperature: 1, topK: nil, topP: 0.8, minP: nil,
            logits: [
                -3.5625, -0.4375, 0.875, -2.3125, 0, -1.75, 3, -2.8125, -2.375, 3.1875, 3.875, 0.5, 3.5625, -8.5625,
                -1.1875, -3.6875, -1.25, -0.125, -1.625, 0.25, -3.5, -0.9375, -1.1875, 8.0625,
            ], law: [23: 1.000000000]),
        Case(
            temperature: 0.5, topK: nil, topP: 0.95, minP: nil,
            logits: [
                -1.375, -2.5625, -4.3125, -4.375, 1.1875, -0.1875, -4.625, -0.375, 0.75, -3.75, -1.875, 0.625, -0.875,
                -2.625, -1.1875, 1.6875, 3.875, -1.25, -4, -5.5, -0.1875, -2.375, 8.1875, -0.25,
            ], law: [22: 1.000000000]),
        Case(
            temperature: 1, topK: nil, topP: nil, minP: 0.1,
            logits: [
                1.0625, 2, 2.75, 3.6875, 7.1875, -1.625, 3.4375, 1.125, 4.0625, 3.375, -1, 4.375, 5.8125, -0.9375,
                -2.9375, 3.4375, -3.5625, -0.8125, -2.6875, -0.1875, 0.625, -0.625, -1.4375, -5.0625,
            ], law: [4: 0.798186778, 12: 0.201813222]),
        Case(
            temperature: 2, topK: 12, topP: 0.9, minP: nil,
            logits: [
                -2.25, -5.375, 1.0625, 1.625, 2.6875, -.infinity, -4.1875, 5.125, 1.9375, -0.75, -0.3125, 3.0625, 0.75,
                5, -4.0625, -1.9375, 2.5625, 0.0625, 3, 2.3125, 3.625, 1.3125, -1.5, 2.125,
            ],
            law: [
                4: 0.067820221, 7: 0.229432849, 8: 0.046612111, 11: 0.081806802, 13: 0.215532216, 16: 0.063711201,
                18: 0.079289871, 19: 0.056224938, 20: 0.108376404, 23: 0.051193388,
            ]),
        Case(
            temperature: 0.8, topK: 20, topP: 0.9, minP: 0.05,
            logits: [
                1.75, 0.4375, -2.75, -1.375, 2.75, -0.5625, 3, -1.5, -0.375, -2.5, 1.875, -1.5625, -2.5, 1.1875,
                -3.1875, 1.75, -3.875, -1.625, 2.0625, 0.625, 0.5625, -1.3125, -1.9375, -5.0625,
            ], law: [0: 0.077470743, 4: 0.270399461, 6: 0.369592243, 10: 0.090572474, 15: 0.077470743, 18: 0.114494336]),
        Case(
            temperature: 1, topK: 3, topP: 0.99, minP: 0.5,
            logits: [
                -6.9375, 3.125, -1.1875, -1.1875, -1.125, -2.4375, -3.125, -1.5, 0, 0.6875, 1.9375, -3.8125, -1.0625,
                -3.75, 2.8125, 2.375, 3.5, 2.1875, -1.5625, -0.4375, 0.875, 1.875, 1.875, 0.75,
            ], law: [1: 0.313813403, 14: 0.229590790, 16: 0.456595807]),
        Case(
            temperature: 1.5, topK: 40, topP: 0.3, minP: 0.01,
            logits: [
                -0.75, 2.9375, 0.9375, -3.125, -3.4375, -1, 0.1875, 2.5625, -2.25, -1.5, 4.375, -2.5, -1.4375, -0.8125,
                5.1875, -2.5, -1.6875, -1.0625, -1.625, 1, 1.625, 1.6875, 5.3125, 2.6875,
            ], law: [14: 0.479178675, 22: 0.520821325]),
    ]

    @Test(arguments: cases) func lawsAreThoseOfTransformers(_ one: Case) throws {
        var truncation = LogitsTruncation()
        truncation.temperature = one.temperature
        (truncation.topK, truncation.topP, truncation.minP) = (one.topK, one.topP, one.minP)
        let law = try truncation.law(ofLogits: one.logits)
        #expect(law.tokens == one.law.keys.sorted())
        for (token, probability) in zip(law.tokens, law.probabilities) {
            // Theirs are scores of single precision, up to 10 after the temperature: 10 · 2⁻²⁴ of the probability.
            #expect(abs(probability - (one.law[token] ?? 0)) < 1e-6)
        }
    }

    /// Whatever the scores: the same tokens as by sorting them all.
    @Test(arguments: 0..<20) func truncationIsThatOfSortedScores(number: Int) throws {
        var stream = RandomSource(seed: 5).stream(sample: number, step: 0, purpose: .auxiliary)
        // Rounded, so that there are ties.
        let logits = stream.normals(3000).map { Float(($0 * 20).rounded() / 5) }
        var truncation = LogitsTruncation()
        let k = 1 + number * 37
        truncation.topK = k
        let least = logits.sorted(by: >)[k - 1]
        #expect(try truncation.law(ofLogits: logits).tokens == logits.indices.filter { logits[$0] >= least })

        truncation.topK = nil
        let share = 0.05 + 0.045 * Double(number)
        truncation.topP = share
        let law = try truncation.law(ofLogits: logits)
        let weights = logits.map { exp(Double($0)) }
        let sorted = weights.indices.sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
        var (sum, kept) = (0.0, [Int]())
        for token in sorted where sum < share * weights.reduce(0, +) {
            kept.append(token)
            sum += weights[token]
        }
        #expect(law.tokens == kept.sorted())
    }

    @Test func badScoresAreRefused() throws {
        let truncation = LogitsTruncation()
        for logits: [Float] in [[], [.nan, 1], [1, .infinity], [-.infinity, -.infinity]] {
            #expect(throws: CouplingError.self) { try truncation.law(ofLogits: logits) }
            var top = truncation
            top.topK = 1
            #expect(throws: CouplingError.self) { try top.law(ofLogits: logits) }
        }
        for change: (inout LogitsTruncation) -> Void in [
            { $0.temperature = 0 }, { $0.temperature = .nan }, { $0.topK = 0 }, { $0.topP = 0 }, { $0.topP = 1.1 },
            { $0.minP = -1 },
        ] {
            var bad = truncation
            change(&bad)
            #expect(throws: CouplingError.self) { try bad.law(ofLogits: [1, 2]) }
        }
    }

    /// On a vocabulary of 32,000 the output's law is the target's, exactly on the tokens that can be: nothing else can come.
    @Test(arguments: ["naive", "kseq", "specinfer", "importance", "lp", "max-flow"])
    func rulesAreExactOnTheSupport(name: String) throws {
        var stream = RandomSource(seed: 9).stream(sample: 0, step: 0, purpose: .auxiliary)
        let scores = stream.normals(32_000).map { 3 * $0 }
        let draftScores = zip(scores, stream.normals(32_000)).map { Float($0 + $1) }
        var truncation = LogitsTruncation()
        truncation.topK = 12
        let target = try truncation.law(ofLogits: scores.map { Float($0) })
        let draft = try truncation.law(ofLogits: draftScores)
        let sparse = try SparseProblem(target: target, drafts: [draft, draft])
        #expect(sparse.tokens.count < 25 && sparse.problem.isIdentical)
        let rule: any MultiDraftRule =
            switch name {
            case "naive": try NaiveRule(sparse.problem)
            case "kseq": try KSequentialRule(sparse.problem)
            case "specinfer": try RecursiveRejectionRule(sparse.problem)
            case "importance": try ImportanceWeightedRule(sparse.problem)
            case "lp": try LinearProgramTransport(sparse.problem, solver: DenseSimplex())
            default: try MaxFlowTransport(sparse.problem)
            }
        let law = try rule.outputLaw()
        for (place, token) in sparse.tokens.enumerated() {
            let wanted = target.tokens.firstIndex(of: token).map { target.probabilities[$0] } ?? 0
            #expect(abs(law[place] - wanted) < 1e-12)
        }
    }

    @Test func pairsAreChecked() throws {
        let law = try SparseLaw(vocabularySize: 10, pairs: [(7, 0.25), (2, 0.75), (3, 0)])
        #expect(law.tokens == [2, 7] && law.probabilities == [0.75, 0.25])
        #expect(throws: CouplingError.tokenGivenTwice(name: "law", token: 7)) {
            try SparseLaw(vocabularySize: 10, pairs: [(7, 0.5), (7, 0.5)])
        }
        #expect(throws: CouplingError.tokenOutOfRange(name: "law", token: 10, vocabularySize: 10)) {
            try SparseLaw(vocabularySize: 10, pairs: [(10, 1)])
        }
        let other = try SparseLaw(vocabularySize: 11, pairs: [(7, 1)])
        #expect(throws: CouplingError.self) { try SparseProblem(target: law, drafts: [other]) }
    }

    /// The choice on the tokens that can be is that on the whole vocabulary, with the same numbers; the ones after it are the choices
    /// without those before.
    @Test("Gumbel's choices on a sparse law are those on the whole one", arguments: [3, 40, 400])
    func gumbelOnSparseLaws(size: Int) throws {
        for draw in 0..<40 {
            var random = RandomSource(seed: 5).stream(sample: draw, step: 0, purpose: .auxiliary)
            var weights = (0..<400).map { $0 < size ? random.uniform() : 0 }.shuffled(using: &random)
            let numbers = RandomSource(seed: 6).stream(sample: draw, step: 0, purpose: .verification)
            var drawn = numbers
            let uniforms = GumbelCoupling.uniforms(count: 400, randomness: &drawn)
            #expect(numbers.uniforms(400) == uniforms && numbers.uniforms(7) == Array(uniforms[..<7]))
            #expect((0..<400).allSatisfy { numbers.uniform(at: $0) == uniforms[$0] })
            // Also from the middle of a block.
            var begun = numbers
            _ = begun.uniform()
            #expect((0..<9).allSatisfy { begun.uniform(at: $0) == uniforms[$0 + 1] })
            #expect(begun.uniforms(9) == Array(uniforms[1..<10]))
            let sparse = SparseLaw(try FiniteDistribution(weights: weights))
            let choices = GumbelCoupling.tokens(of: sparse, numbers: numbers, count: 3)
            #expect(choices.count == 3)
            for choice in choices {
                let law = try FiniteDistribution(weights: weights)
                #expect(try GumbelCoupling.token(of: law, uniforms: uniforms) == choice)
                weights[choice] = 0
                if !weights.contains(where: { $0 > 0 }) { break }
            }
        }
    }
}
