import Couplings
import FiniteAlphabets
import Foundation
import NeuralNetwork
import Testing
import TokenModels

@Suite("Llamas score trees")
struct LlamaTreeTests {
    static func fixture(_ name: String) throws -> URL {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
    }

    static func model(_ precision: Precision, threads: Int = 1) throws -> LlamaModel {
        try LlamaModel(path: fixture("llama-grouped").path, precision: precision, threads: threads)
    }

    /// What a batch must not change: the scores of a context alone, in a path, in a tree, beside other rows, after a rollback and with
    /// more threads are the same to the bit.
    @Test("laws do not depend on tree, batch, history or threads, to the bit", arguments: Precision.allCases)
    func rowsAreIndependent(precision: Precision) throws {
        var random = RandomSource(seed: 8).stream(sample: 0, step: 0, purpose: .auxiliary)
        func tokens(_ count: Int) -> [Int] { (0..<count).map { _ in Int.random(in: 0..<96, using: &random) } }
        let unused = try Self.model(precision)
        // Alone, each token on its own, in a cache that holds nothing else.
        func alone(_ context: [Int]) throws -> SparseLaw {
            var model = unused
            return try model.law(after: context)
        }
        var known: [[Int]: SparseLaw] = [:]
        var model = try Self.model(precision, threads: 2)
        var context = tokens(5)
        for round in 0..<12 {
            // Trees of one to five paths, also with tokens in common, also along those of the round before.
            let shared = tokens(2)
            let paths = (0..<1 + round % 5).map { $0 % 2 == 0 ? shared + tokens(2) : tokens(1 + $0) }
            let tree = TokenTree(paths: paths)
            let laws = try model.laws(
                after: context, tree: tree, nodes: 0..<tree.count, truncation: LogitsTruncation())
            for node in 0..<tree.count {
                let text = context + tree.path(to: node)
                let law = try known[text] ?? alone(text)
                known[text] = law
                #expect(laws[node] == law, "round \(round), node \(node)")
            }
            // Token by token along the longest path, then back.
            let path = paths.max { $0.count < $1.count } ?? []
            for end in path.indices {
                let law = try model.law(after: context + path[...end])
                #expect(law == known[context + path[...end]])
            }
            // What is accepted: some of a path, and one more token; now and then another text altogether.
            context += path.prefix(round % 4) + tokens(1)
            if round % 5 == 4 || context.count > 40 { context = context.prefix(3) + tokens(4) }
        }
        // In one batch with all its beginnings, more than a pass has rows.
        let long = tokens(60)
        let tree = TokenTree(paths: [Array(long.dropFirst())])
        let laws = try model.laws(
            after: [long[0]], tree: tree, nodes: 0..<tree.count, truncation: LogitsTruncation())
        for end in [0, 1, 17, 59] { #expect(try laws[end] == alone(Array(long[...end]))) }
    }

    /// The draft's way: level by level, only the new nodes asked for.
    @Test("a tree that grows gives each node's law once")
    func growing() throws {
        var (growing, whole) = (try Self.model(.f32), try Self.model(.f32))
        var tree = TokenTree()
        var laws: [SparseLaw] = []
        let levels = [[5, 9, 5], [7, 7, 30], [1, 2, 3]]
        var ends = [0, 0, 0]
        for level in levels {
            laws += try growing.laws(
                after: [3, 4, 5], tree: tree, nodes: laws.count..<tree.count, truncation: LogitsTruncation())
            for path in ends.indices { ends[path] = tree.add(level[path], after: ends[path]) }
        }
        laws += try growing.laws(
            after: [3, 4, 5], tree: tree, nodes: laws.count..<tree.count, truncation: LogitsTruncation())
        #expect(tree.count == 9)
        #expect(
            try whole.laws(after: [3, 4, 5], tree: tree, nodes: 0..<9, truncation: LogitsTruncation()) == laws)
    }

    @Test("trees merge what paths have in common")
    func trees() {
        var tree = TokenTree(paths: [[1, 2], [1, 3], [1, 2, 4], []])
        #expect(tree.count == 5)
        #expect(
            tree.parents == [-1, 0, 1, 1, 2] && tree.tokens == [-1, 1, 2, 3, 4] && tree.depths == [0, 1, 2, 2, 3])
        #expect(tree.path(to: 4) == [1, 2, 4] && tree.path(to: 0) == [])
        #expect(tree.child(of: 1, token: 3) == 3 && tree.child(of: 3, token: 3) == nil)
        #expect(tree.add(3, after: 1) == 3 && tree.add(9, after: 0) == 5)
    }

    /// One text, whatever the draft, the lookahead, the paths, the batch they make, and the threads; the ordinary rule's text depends
    /// on them.
    @Test("drafter-invariant to the bit: one text for any draft, tree and batch")
    func drafterInvariance() throws {
        let half = try LlamaModel(path: Self.fixture("llama-half").path)
        let trained = try NGramModel(order: 2, vocabularySize: 96, trainedOn: (0..<500).map { $0 * $0 % 96 })
        var truncation = LogitsTruncation()
        (truncation.temperature, truncation.topK) = (0.9, 20)
        var (texts, ordinary) = (Set<[Int]>(), Set<[Int]>())
        func decode(_ draft: some TokenModel, _ lookahead: Int, _ paths: Int, _ threads: Int) throws {
            var decoder = try SpeculativeDecoder(
                target: try Self.model(.f32, threads: threads), draft: draft, lookahead: lookahead,
                truncation: truncation)
            texts.insert(
                try decoder.decodeInvariantly(prompt: [1, 7], count: 50, paths: paths) {
                    RandomSource(seed: 6).stream(sample: 0, step: $0, purpose: .verification)
                }.tokens)
            var random = RandomSource(seed: 6).stream(sample: 0, step: 0, purpose: .verification)
            ordinary.insert(
                try decoder.decode(
                    prompt: [1, 7], count: 50, paths: paths, rule: { try RecursiveRejectionRule($0) },
                    randomness: &random
                ).tokens)
        }
        for (lookahead, paths, threads) in [(1, 1, 1), (3, 1, 2), (4, 3, 1), (7, 5, 2)] {
            try decode(half, lookahead, paths, threads)
            try decode(trained, lookahead, paths, threads)
        }
        // A draft of a shorter context than is decoded stops drafting; a perfect one is right throughout.
        try decode(try Self.model(.f32), 5, 2, 1)
        var model = try Self.model(.f32)
        var plain: [Int] = []
        for position in 0..<50 {
            let law = try model.law(after: [1, 7] + plain, truncation: truncation)
            let numbers = RandomSource(seed: 6).stream(sample: 0, step: position, purpose: .verification)
            plain += GumbelCoupling.tokens(of: law, numbers: numbers, count: 1)
        }
        #expect(texts == [plain])
        #expect(ordinary.count > 4)
    }

    struct Scores: Decodable {
        let tokens, positions: [Int]
        let scores: [[Double]]
    }

    /// transformers' own scores, computed in double precision from the same weights.
    @Test("scores are transformers'", arguments: ["llama-grouped", "llama-biased", "llama-half"])
    func transformers(name: String) throws {
        let folder = try Self.fixture(name)
        let expected = try JSONDecoder().decode(
            Scores.self, from: Data(contentsOf: folder.appendingPathComponent("scores.json")))
        var model = try LlamaModel(path: folder.path)
        #expect(model.beginning == 1 && model.endTokens == [2])
        for (position, scores) in zip(expected.positions, expected.scores) {
            let law = try model.law(after: Array(expected.tokens[...position]))
            let mean = scores.reduce(0, +) / Double(scores.count)
            let deviation = (scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count)).squareRoot()
            // Scores up to a constant: their logarithms relative to the first.
            let found = law.probabilities.map { log($0 / law.probabilities[0]) }
            let wanted = scores.map { $0 - scores[0] }
            let worst = zip(found, wanted).map { abs($0 - $1) }.max() ?? 1
            // Single precision through two layers: some 10⁻⁶ of the deviation, and angles that both round.
            #expect(law.tokens.count == 96 && worst < 2e-5 * deviation, "\(worst / deviation)")
        }
    }

    @Test("damaged folders are named", arguments: 0..<12)
    func damaged(kind: Int) throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let copy = folder.appendingPathComponent("model")
        try FileManager.default.copyItem(at: Self.fixture(kind == 11 ? "llama-biased" : "llama-grouped"), to: copy)
        let config = copy.appendingPathComponent("config.json")
        var text = try String(contentsOf: config, encoding: .utf8)
        func replace(_ old: String, _ new: String) {
            #expect(text.contains(old))
            text = text.replacingOccurrences(of: old, with: new)
        }
        var named = "config.json"
        switch kind {
        case 0: replace("\"model_type\": \"llama\"", "\"model_type\": \"mamba\"")
        case 1: replace("\"hidden_size\": 24", "\"hidden_size\": 32")
        case 2: replace("\"rope_type\": \"llama3\"", "\"rope_type\": \"yarn\"")
        case 3: replace("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3")
        case 4: replace("\"head_dim\": 12", "\"head_dim\": 11")
        case 5: replace("\"eos_token_id\": 2", "\"eos_token_id\": 96")
        case 6: replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")
        case 7: replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false")
        case 8: replace("\"high_freq_factor\": 3.0", "\"high_freq_factor\": 1.0")
        case 9: text = "{"
        case 10: replace("\"vocab_size\": 96", "\"vocab_size\": 16777216")
        default: try FileManager.default.removeItem(at: copy.appendingPathComponent("model-00002-of-00003.safetensors"))
        }
        if [1, 6, 7, 10, 11].contains(kind) { named = "model" }
        try Data(text.utf8).write(to: config)
        #expect {
            try LlamaModel(path: copy.path)
        } throws: { "\($0)".contains(named) && "\($0)".count < 600 }
    }
}
