import Platform
import Reports

/// What a run found out: its `Encodable` keys for programs, its text for people.
public protocol RunResult: Encodable, Sendable {
    var text: String { get }
    /// The same with figures, for `--html`.
    var page: Page { get }
}

extension RunResult {
    /// The text alone, its tables as tables.
    public var page: Page { Page("Result", sections: [Page.Section("What came of it", .text(text))]) }
}

extension Encodable {
    /// Writes the value as JSON; the file appears whole or not at all.
    public func writeJSON(to path: String) throws {
        try AtomicFile.write(Array((jsonText() + "\n").utf8), to: path)
    }
}
