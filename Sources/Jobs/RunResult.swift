import Foundation

/// What a run found out: its `Encodable` keys for programs, its text for people.
public protocol RunResult: Encodable, Sendable {
    var text: String { get }
}

extension Encodable {
    /// Writes the value as JSON; the file appears whole or not at all.
    public func writeJSON(to path: String) throws {
        try AtomicFile.write(Array((jsonText() + "\n").utf8), to: path)
    }

    /// Indented, its keys in order.
    public func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// A count over samples.
public struct CountSummary: Encodable, Sendable {
    public let mean: Double
    public let min: Int
    public let max: Int

    public init(_ values: [Int]) {
        mean = values.isEmpty ? 0 : Double(values.reduce(0, +)) / Double(values.count)
        min = values.min() ?? 0
        max = values.max() ?? 0
    }
}
