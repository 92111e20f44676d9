import Couplings
import Foundation

/// Reading the arrays of numbers that the finite commands take, and writing their reports.
enum JSONFiles {
    /// A file that is not what a command needs.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The distribution in a file that holds a JSON array of probabilities.
    static func distribution(_ path: String) throws -> FiniteDistribution {
        try FiniteDistribution(try decode([Double].self, path, expected: "a JSON array of probabilities"), name: path)
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
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Failure(description: "\(path): cannot be read: \(error.localizedDescription)")
        }
        let decoder = JSONDecoder()
        // JSON5 admits NaN and Infinity, so that the distribution's own check can say where they stand.
        decoder.allowsJSON5 = true
        do {
            return try decoder.decode(type, from: data)
        } catch {
            throw Failure(description: "\(path): expected \(expected), found something else")
        }
    }

    /// A report on one line, its keys in order.
    static func line(_ report: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
