/// What is wrong with a file of a model folder, in one line: which file, which tensor or key, what was expected, what was
/// found, what to do.
public struct CheckpointError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The kind of fault.
    public enum Code: Sendable, Equatable {
        /// The file is missing or cannot be read or written.
        case inaccessible
        /// The file is not what its format demands: short, garbled, overlapping offsets.
        case malformed
        /// The file is sound but asks for something this package does not offer.
        case unsupported
        /// Tensors are missing, left over, of another shape, or not finite.
        case mismatch
    }

    public let code: Code
    /// Path of the file.
    public let file: String
    /// The tensor or configuration key concerned, if there is one.
    public let subject: String?
    /// What was expected, what was found, what to do.
    public let message: String

    public init(_ code: Code, file: String, subject: String? = nil, _ message: String) {
        self.code = code
        self.file = file
        self.subject = subject
        self.message = message
    }

    public var description: String {
        let parts = [file, subject, message].compactMap { $0 }
        return parts.map(Self.oneLine).joined(separator: ": ")
    }

    /// Names come out of files: control characters are escaped, so that the description stays on one line.
    private static func oneLine(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x2028...0x2029).contains(scalar.value) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension CheckpointError {
    /// A name out of a file, shortened when it is absurdly long.
    static func shortened(_ name: String) -> String {
        name.count <= 120 ? name : name.prefix(117) + "..."
    }

    /// The first ten of `names`, then how many more there are.
    static func firstTen(_ names: [String]) -> String {
        let shown = names.prefix(10).map(shortened).joined(separator: ", ")
        return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
    }
}
