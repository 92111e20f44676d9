import Foundation
import NeuralNetwork
import Testing

/// JSON as Python's `json` reads it.
@Suite struct JSONTests {
    @Test func numbersBeyondTheFiniteAreRead() throws {
        let text = #"{"a": -Infinity, "b": Infinity, "c": NaN, "d": 1e400, "e": 1e-400, "f": -1e400}"#
        let json = try JSON(parsing: text.utf8)
        #expect(json["a"]?.double == -.infinity && json["b"]?.double == .infinity)
        #expect(json["c"]?.double?.isNaN == true)
        #expect(json["d"]?.double == .infinity && json["e"] == .number(0) && json["f"]?.double == -.infinity)
        // A message shows what stands in the file; an answer is JSON by the letter.
        #expect(json["a"]?.description == "-Infinity" && json["a"]?.text == "null")
    }

    @Test func theLastOfTwoKeysCounts() throws {
        let json = try JSON(parsing: #"{"a": 1, "b": 2, "a": {"c": 3, "c": 4}}"#.utf8)
        #expect(json["a"]?["c"] == .integer(4))
        #expect(json.text == #"{"a": {"c": 4}, "b": 2}"#)
    }

    /// "é" in one character and in two are equal strings in Swift, and two keys of a vocabulary.
    @Test func keysThatLookAlikeAreTwo() throws {
        let json = try JSON(parsing: #"{"é": 1, "e\u0301": 2}"#.utf8)
        guard case .object(let members) = json else { throw CancellationError() }
        #expect(members.map { Array($0.key.unicodeScalars).count } == [1, 2])
        #expect(members.map(\.value) == [.integer(1), .integer(2)])
    }

    /// Integers beyond Int keep their digits.
    @Test(arguments: ["18446744073709551615", "-9223372036854775809", "123456789012345678901234567890", "1e400"])
    func longNumbersComeBackAsTheyWere(_ text: String) throws {
        let json = try JSON(parsing: text.utf8)
        #expect(json.text == text && json == .longNumber(text))
        #expect(json.double == Double(text) && json.int == nil)
    }

    static let malformed: [(text: String, line: Int, column: Int, says: String)] = [
        ("{\"a\": 1,\n \"b\": 2,\n}", 2, 8, "a comma after the last entry"),
        ("[1, 2, ]", 1, 6, "a comma after the last entry"),
        ("{\"a\": 01}", 1, 7, "a number does not begin with 0"),
        ("[-01]", 1, 2, "a number does not begin with 0"),
        ("[1.]", 1, 4, "expected a digit after the point"),
        ("[.5]", 1, 2, "expected a value"),
        ("[+1]", 1, 2, "expected a value"),
        ("[-]", 1, 3, "expected a digit after the sign"),
        ("[1e]", 1, 4, "expected a digit in the exponent"),
        ("[1e+]", 1, 5, "expected a digit in the exponent"),
        ("[-Inf]", 1, 2, "expected the word -Infinity"),
        ("[nan]", 1, 2, "expected the word null"),
        ("{'a': 1}", 1, 2, "expected a key in double quotation marks"),
        ("{\"é\": 'a'}", 1, 7, "double quotation marks"),
        ("{\"a\" 1}", 1, 6, "expected ':' after the key"),
        ("{\"a\": 1 \"b\": 2}", 1, 9, "expected ',' or '}'"),
        ("// words\n{}", 1, 1, "JSON has no comments"),
        ("", 1, 1, "ends where a value should stand"),
        ("{}\n\n x", 3, 2, "text after the value"),
    ]

    @Test(arguments: malformed.indices) func faultsAreNamedWithTheirPlace(_ index: Int) {
        let (text, line, column, says) = Self.malformed[index]
        let error = #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: text.utf8) }
        #expect(error?.line == line && error?.column == column, "\(text): \(error.map { "\($0)" } ?? "")")
        #expect(error?.reason.contains(says) == true, "\(text): \(error?.reason ?? "")")
    }

    /// The safetensors library takes `null` for no metadata.
    @Test func metadataMayBeNull() throws {
        let folder = try TemporaryFolder()
        let header = #"{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let file = try SafetensorsFile(path: folder.write(safetensors(header, data: 4), "a.safetensors"))
        #expect(file.metadata.isEmpty && file.tensorNames == ["a"])
    }
}
