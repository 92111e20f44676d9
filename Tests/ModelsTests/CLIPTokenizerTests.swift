import Foundation
import Models
import Testing

@Suite struct CLIPTokenizerTests {
    private struct Case: Decodable {
        let text: String
        let ids: [Int]
    }

    private static func fixture(_ name: String) throws -> URL {
        try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/\(name)")
    }

    /// Every case is what transformers makes of it, from either form of the files.
    @Test(arguments: ["tokenizer", "tokenizer-json"]) func agreesWithTransformers(_ folder: String) throws {
        let tokenizer = try CLIPTokenizer(folder: Self.fixture(folder).path)
        let data = try Data(contentsOf: Self.fixture("tokenizer-cases.json"))
        let cases = try JSONDecoder().decode([Case].self, from: data)
        #expect(cases.count > 60)
        for item in cases {
            #expect(tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)")
        }
    }

    /// A word of any length is encoded in bounded time, and cut to the length.
    @Test func cutsLongWords() throws {
        let tokenizer = try CLIPTokenizer(folder: Self.fixture("tokenizer").path)
        let ids = tokenizer.encode(String(repeating: "horse", count: 5_000))
        #expect(ids.count == tokenizer.length && ids.last == tokenizer.encode("").last)
    }

    @Test(arguments: [
        ("tokenizer_config.json", #"{"model_max_length": 1}"#, "model_max_length"),
        ("tokenizer_config.json", #"{"pad_token": 3}"#, "pad_token"),
        ("tokenizer_config.json", #"{"eos_token": "nowhere"}"#, "eos_token"),
        ("tokenizer_config.json", #"{"do_lower_case": false}"#, "do_lower_case"),
        ("merges.txt", "#version: 0.2\na b c\n", "line 2"), ("merges.txt", "q zzzz\n", "merge 1"),
        ("vocab.json", #"{"a": -1}"#, "a"), ("vocab.json", "[]", "vocab.json"),
    ])
    func refusesFiles(_ file: String, _ text: String, _ named: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID())")
        try FileManager.default.copyItem(at: Self.fixture("tokenizer"), to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(text.utf8).write(to: folder.appendingPathComponent(file))
        let error = #expect(throws: ModelError.self) { try CLIPTokenizer(folder: folder.path) }
        #expect(error?.description.contains(named) == true)
    }
}
