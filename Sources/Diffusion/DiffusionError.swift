/// A chain, schedule or sampler that cannot be built as asked, or a network that answered with something unusable.
public struct DiffusionError: Error, Sendable, CustomStringConvertible {
    /// What the value belongs to: an option, a step, a sample.
    public let subject: String
    public let expected: String
    public let found: String
    /// What the caller can do about it.
    public let remedy: String?

    public init(_ subject: String, expected: String, found: String, remedy: String? = nil) {
        self.subject = subject
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }

    public var description: String {
        "\(subject): expected \(expected), found \(found)" + (remedy.map { "; \($0)" } ?? "")
    }
}
