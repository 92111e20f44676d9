import Foundation
import Testing
@testable import TokenModels

@Suite("Tokenizers of transformers")
struct TransformersTokenizerTests {
    struct Case: Decodable {
        let text: String
        let tokens: [Int]
        let decoded: String
    }

    static func url(_ name: String) throws -> URL {
        try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures/tokenizers"))
    }

    /// The tokens that the library `tokenizers` makes, and the texts it makes of them.
    @Test("tokens and texts are the library's", arguments: ["llama3", "gpt2", "llama2", "metaspace"])
    func cases(name: String) throws {
        let all = try JSONDecoder().decode([String: [Case]].self, from: Data(contentsOf: Self.url("cases")))
        let tokenizer = try TransformersTokenizer(path: Self.url(name).path)
        for item in try #require(all[name]) {
            #expect(tokenizer.encode(item.text) == item.tokens, "\(item.text.debugDescription)")
            #expect(tokenizer.decode(item.tokens) == item.decoded, "\(item.text.debugDescription)")
        }
    }

    @Test("what is not supported is said, with its key", arguments: 0..<10)
    func unsupported(kind: Int) throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let changes = [
            ("llama3", "\"type\":\"BPE\"", "\"type\":\"Unigram\"", "model.type"),
            ("llama3", "\"behavior\":\"Isolated\"", "\"behavior\":\"Removed\"", "behavior"),
            ("llama3", "\\\\p{N}{1,3}", "\\\\p{Greek}{1,3}", "pattern"),
            ("llama3", "\"type\":\"TemplateProcessing\"", "\"type\":\"BertProcessing\"", "post_processor"),
            ("llama2", "\"type\":\"Prepend\"", "\"type\":\"Lowercase\"", "normalizer"),
            ("llama2", "\"type\":\"Fuse\"", "\"type\":\"WordPiece\"", "decoder"),
            ("llama2", "\"unk_token\":\"<unk>\"", "\"unk_token\":\"<none>\"", "model.unk_token"),
            ("gpt2", "\"vocab\":{", "\"vocab\":{\"none\":-1,", "model.vocab"),
            ("gpt2", "\"merges\":[", "\"merges\":[[\"no\",\"such\"],", "merge 0"),
            ("metaspace", "\"prepend_scheme\":\"first\"", "\"prepend_scheme\":\"last\"", "prepend_scheme"),
        ]
        let (name, old, new, key) = changes[kind]
        let text = try String(contentsOf: Self.url(name), encoding: .utf8)
        #expect(text.contains(old))
        let path = folder.appendingPathComponent("tokenizer.json")
        try Data(text.replacingOccurrences(of: old, with: new).utf8).write(to: path)
        #expect {
            try TransformersTokenizer(path: path.path)
        } throws: { "\($0)".contains(path.path) && "\($0)".contains(key) }
    }

    @Test("patterns match as their notation says")
    func patterns() throws {
        func pieces(_ pattern: String, _ text: String) throws -> [String] {
            try WordPattern(pattern).pieces(of: Array(text.unicodeScalars)).map {
                $0.map { String($0) }.joined()
            }
        }
        #expect(try pieces("a+|b", "aab c") == ["aa", "b", " c"])
        #expect(try pieces("\\d{2}", "12345") == ["12", "34", "5"])
        #expect(try pieces("(?:ab)?c", "abcc") == ["abc", "c"])
        #expect(try pieces("[a-c\\d]+(?!x)", "ab1xcd") == ["ab", "1x", "c", "d"])
        #expect(try pieces("(?i:ſ|k)", "Ssk\u{212A}") == ["S", "s", "k", "\u{212A}"])
        #expect(try pieces("[^\\S\n]+", " \t\n ") == [" \t", "\n", " "])
        for pattern in ["(", ")", "[a", "a**", "(ab)+", "\\w", "\\p{L", "a{2", "a+?", "[z-a]", "\\", "^a"] {
            #expect(throws: WordPattern.Failure.self) { try WordPattern(pattern) }
        }
    }
}
