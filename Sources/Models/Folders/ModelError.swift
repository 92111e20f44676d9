/// A model folder whose description cannot be used.
public struct ModelError: Error, Sendable, CustomStringConvertible {
    public let file: String
    /// The key inside the file; nil for the file as a whole.
    public let key: String?
    public let expected: String
    public let found: String
    /// What the user can do about it.
    public let remedy: String?

    public init(_ file: String, key: String? = nil, expected: String, found: String, remedy: String? = nil) {
        self.file = file
        self.key = key
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }

    public var description: String {
        file + (key.map { ": \"\($0)\"" } ?? "") + ": expected \(expected), found \(found)"
            + (remedy.map { "; \($0)" } ?? "")
    }
}
