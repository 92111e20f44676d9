import FiniteAlphabets
import Foundation

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

    /// The target's law, from its file, and the draft's on the same vocabulary.
    static func pair(target: String, draft: String) throws -> (target: FiniteDistribution, draft: FiniteDistribution) {
        let q = try distribution(target)
        let p = try distribution(draft)
        try p.requireSameVocabulary(as: q, name: draft, otherName: target)
        return (q, p)
    }

    /// The channel in a file that holds a JSON array of rows W(·|x).
    static func channel(_ path: String) throws -> DiscreteChannel {
        try DiscreteChannel(
            rows: try decode([[Double]].self, path, expected: "a JSON array of rows of probabilities"), name: path)
    }

    /// Room for a million probabilities.
    private static let largestSize = 32 << 20

    private static func decode<Value: Decodable>(_ type: Value.Type, _ path: String, expected: String) throws -> Value {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        if let attributes, attributes[.type] as? FileAttributeType != .typeRegular {
            throw Failure(description: "\(path): cannot be read: it is not a regular file")
        }
        if let size = (attributes?[.size] as? NSNumber)?.intValue, size > largestSize {
            throw Failure(description: "\(path): expected \(expected) of at most \(largestSize) bytes, found \(size)")
        }
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
