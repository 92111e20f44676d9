import Platform
import Reports

/// What a run found out: its `Encodable` keys for programs, its text for people.
public protocol RunResult: Encodable, Sendable {
    var text: String { get }
}

extension Encodable {
    /// Writes the value as JSON; the file appears whole or not at all.
    public func writeJSON(to path: String) throws {
        try AtomicFile.write(Array((jsonText() + "\n").utf8), to: path)
    }
}
