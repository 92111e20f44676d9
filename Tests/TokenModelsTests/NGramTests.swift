import FiniteAlphabets
import Testing
import TokenModels

@Suite("n-gram models")
struct NGramTests {
    @Test("Witten–Bell by hand")
    func byHand() throws {
        // Text 0 1 0: c(0) = 2, c(1) = 1, two different tokens; after 0 came 1 once.
        let model = try NGramModel(order: 2, vocabularySize: 3, trainedOn: [0, 1, 0])
        let unigram = [2.0 + 2.0 / 3, 1 + 2.0 / 3, 2.0 / 3].map { $0 / 5 }
        let empty = try model.nextDistribution(after: [])
        #expect(zip(empty.probabilities, unigram).allSatisfy { abs($0 - $1) < 1e-15 })
        let afterZero = try model.nextDistribution(after: [1, 0])
        #expect(
            zip(afterZero.probabilities, [unigram[0] / 2, (1 + unigram[1]) / 2, unigram[2] / 2]).allSatisfy {
                abs($0 - $1) < 1e-15
            })
        // A context never seen falls back on the shorter one.
        #expect(try model.nextDistribution(after: [2]).probabilities == empty.probabilities)
    }

    @Test("higher orders know their text better")
    func likelihood() throws {
        let vocabulary = ByteVocabulary(of: TestText.english)
        let tokens = try vocabulary.encode(TestText.english)
        var previous = 0.0
        for order in 1...4 {
            let model = try NGramModel(order: order, vocabularySize: vocabulary.count, trainedOn: tokens)
            let mean = try tokens.indices.prefix(300).reduce(0) {
                $0 + (try model.nextDistribution(after: Array(tokens[..<$1])))[tokens[$1]] / 300
            }
            #expect(mean > previous)
            previous = mean
        }
        #expect(vocabulary.decode(tokens) == String(decoding: TestText.english, as: UTF8.self))
    }

    @Test("bad input is named")
    func badInput() {
        #expect(throws: TokenModelError.parameterOutOfRange(name: "the order", value: 0, expected: "from 1 to 64")) {
            try NGramModel(order: 0, vocabularySize: 3, trainedOn: [0])
        }
        #expect(throws: TokenModelError.emptyText(file: "a.txt")) {
            try NGramModel(order: 2, vocabularySize: 3, trainedOn: [], source: "a.txt")
        }
        #expect(throws: TokenModelError.outsideVocabulary(what: "token 3 of text", position: 1)) {
            try NGramModel(order: 2, vocabularySize: 3, trainedOn: [0, 3])
        }
        #expect(throws: TokenModelError.outsideVocabulary(what: "byte 122", position: 1)) {
            try ByteVocabulary(of: Array("abc".utf8)).encode(Array("az".utf8))
        }
        #expect(throws: CouplingError.self) {
            var (model, truncation) = (RandomModel(vocabularySize: 2, seed: 0), LogitsTruncation())
            truncation.temperature = 0
            _ = try model.law(after: [], truncation: truncation)
        }
    }

    @Test("temperature one changes nothing, a low one picks the likeliest")
    func temperature() throws {
        var model = RandomModel(vocabularySize: 5, seed: 3)
        let law = try model.nextDistribution(after: [1])
        #expect(try model.law(after: [1]) == SparseLaw(law))
        var truncation = LogitsTruncation()
        truncation.temperature = 1e-6
        #expect(try model.law(after: [1], truncation: truncation).probabilities.max() ?? 0 > 1 - 1e-9)
        truncation.temperature = 2
        truncation.topK = 2
        let kept = try model.law(after: [1], truncation: truncation)
        let likeliest = law.probabilities.indices.sorted { law[$0] > law[$1] }.prefix(2).sorted()
        let roots = likeliest.map { law[$0].squareRoot() }
        #expect(kept.tokens == likeliest)
        // The model's probabilities go through scores of single precision.
        #expect(zip(kept.probabilities, roots).allSatisfy { abs($0 - $1 / roots.reduce(0, +)) < 1e-6 })
    }
}
