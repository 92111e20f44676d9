import FiniteAlphabets
import Foundation
import NeuralNetwork

/// Files that hold a law or a channel as JSON arrays of numbers, and files of text to learn from.
enum LawFile {
    /// A file that is not what a run needs.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The distribution in a file that holds a JSON array of probabilities.
    static func distribution(_ path: String) throws -> FiniteDistribution {
        try FiniteDistribution(try decode([Double].self, path, expected: "a JSON array of probabilities"), name: path)
    }

    /// The target's law, from its file, and the drafts' on the same vocabulary. Where one of them is an object (logits, or tokens with
    /// their probabilities), all are on the tokens that any of them can be.
    static func laws(
        target: String, drafts: [String]
    ) throws -> (target: FiniteDistribution, drafts: [FiniteDistribution]) {
        if try ([target] + drafts).contains(where: isObject) {
            func law(_ path: String) throws -> SparseLaw {
                let json: JSON
                do { json = try JSON(parsing: bytes(path)) } catch let error as JSON.SyntaxError {
                    throw Failure(description: "\(path): \(error)")
                }
                return try TokenLawReader.law(json, name: path)
            }
            let problem = try SparseProblem(target: law(target), drafts: drafts.map(law)).problem
            return (problem.target, problem.drafts)
        }
        let q = try distribution(target)
        return (
            q,
            try drafts.map { path in
                let p = try distribution(path)
                try p.requireSameVocabulary(as: q, name: path, otherName: target)
                return p
            }
        )
    }

    /// Whether a file begins as a JSON object does.
    private static func isObject(_ path: String) throws -> Bool {
        try check(path, expected: "a law in JSON")
        return try bytes(path).first { !" \n\r\t".utf8.contains($0) } == UInt8(ascii: "{")
    }

    /// The channel in a file that holds a JSON array of rows W(·|x).
    static func channel(_ path: String) throws -> DiscreteChannel {
        try DiscreteChannel(
            rows: try decode([[Double]].self, path, expected: "a JSON array of rows of probabilities"), name: path)
    }

    /// Room for a million probabilities.
    private static let largestSize = 32 << 20

    /// Refuses what is no regular file, or too large a one.
    private static func check(_ path: String, expected: String) throws {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        if let attributes, attributes[.type] as? FileAttributeType != .typeRegular {
            throw Failure(description: "\(path): cannot be read: it is not a regular file")
        }
        if let size = (attributes?[.size] as? NSNumber)?.intValue, size > largestSize {
            throw Failure(description: "\(path): expected \(expected) of at most \(largestSize) bytes, found \(size)")
        }
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ path: String, expected: String) throws -> Value {
        try check(path, expected: expected)
        let data = try bytes(path)
        let decoder = JSONDecoder()
        // JSON5 admits NaN and Infinity, so that the distribution's own check can say where they stand.
        decoder.allowsJSON5 = true
        do {
            return try decoder.decode(type, from: data)
        } catch {
            throw Failure(description: "\(path): expected \(expected), found something else")
        }
    }

    /// A file as it is.
    static func bytes(_ path: String) throws -> Data {
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Failure(description: "\(path): cannot be read: \(error.localizedDescription)")
        }
    }
}
