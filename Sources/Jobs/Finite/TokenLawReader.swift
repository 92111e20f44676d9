import FiniteAlphabets
import Foundation
import NeuralNetwork

/// Laws of tokens in JSON:
///
///     [0.1, 0.9]                                                       probabilities of the tokens 0, 1, …
///     {"tokens": [5, 9], "probabilities": [0.1, 0.9], "vocabulary": 32000}
///     {"logits": [1.5, -2, …], "temperature": 0.7, "top_k": 50, "top_p": 0.95, "min_p": 0.05}
///     {"logits": {"base64": "…"}, …}                                   little-endian Float32
enum TokenLawReader {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private static let keys = [
        "logits", "temperature", "top_k", "top_p", "min_p", "tokens", "probabilities", "vocabulary",
    ]

    /// - Parameter name: what errors call the law.
    static func law(_ value: JSON, name: String) throws -> SparseLaw {
        if value.array != nil {
            return SparseLaw(try FiniteDistribution(numbers(value, name: name), name: name))
        }
        guard case .object(let members) = value else {
            throw Failure(
                "\(name): expected probabilities, or an object with \"logits\", or with \"tokens\" and \"probabilities\""
            )
        }
        if let stray = members.first(where: { !keys.contains($0.key) }) {
            throw Failure(
                "\(name): expected \(keys.joined(separator: ", ")), found \"\(String(stray.key.prefix(40)))\"")
        }
        if let logits = value["logits"] {
            return try truncation(value, name: name).law(ofLogits: scores(logits, name: name), name: name)
        }
        let tokens = try numbers(value["tokens"] ?? .null, name: "\(name), tokens").map { number -> Int in
            guard let token = Int(exactly: number) else {
                throw Failure("\(name), tokens: expected integers, found \(number)")
            }
            return token
        }
        let probabilities = try numbers(value["probabilities"] ?? .null, name: "\(name), probabilities")
        guard tokens.count == probabilities.count else {
            throw Failure(
                "\(name): expected as many tokens as probabilities, found \(tokens.count) and \(probabilities.count)")
        }
        guard let size = value["vocabulary"]?.int else {
            throw Failure("\(name): expected \"vocabulary\", the number of all tokens")
        }
        return try SparseLaw(
            vocabularySize: size, pairs: zip(tokens, probabilities).map { ($0, $1) }, name: name)
    }

    private static func truncation(_ value: JSON, name: String) throws -> LogitsTruncation {
        func number(_ key: String) throws -> Double? {
            guard let value = value[key], value != .null else { return nil }
            guard let number = value.double else { throw Failure("\(name), \(key): expected a number, found \(value)") }
            return number
        }
        var truncation = LogitsTruncation()
        truncation.temperature = try number("temperature") ?? truncation.temperature
        truncation.topP = try number("top_p")
        truncation.minP = try number("min_p")
        // transformers takes 0 for none.
        if let topK = value["top_k"], topK != .null, topK != .integer(0) {
            guard let count = topK.int else { throw Failure("\(name), top_k: expected an integer, found \(topK)") }
            truncation.topK = count
        }
        return truncation
    }

    private static func scores(_ value: JSON, name: String) throws -> [Float] {
        guard let text = value["base64"]?.string else {
            return try numbers(value, name: "\(name), logits").map { Float($0) }
        }
        guard let data = Data(base64Encoded: text), data.count % 4 == 0, !data.isEmpty else {
            throw Failure("\(name), logits: expected the base64 of Float32 numbers")
        }
        return data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
    }

    private static func numbers(_ value: JSON, name: String) throws -> [Double] {
        guard let items = value.array else { throw Failure("\(name): expected a list of numbers") }
        return try items.map { item in
            guard let number = item.double else {
                throw Failure("\(name): expected numbers, found \(String(item.description.prefix(40)))")
            }
            return number
        }
    }
}
