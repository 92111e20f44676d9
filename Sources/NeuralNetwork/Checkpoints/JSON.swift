/// A JSON value (RFC 8259), with the numbers that are not finite as Python's `json` writes them. An object keeps its order;
/// of a key given twice the last value counts, as in Python.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    /// An integer beyond `Int`, or a number beyond `Double`, as it was written: an identifier must come back unchanged.
    case longNumber(String)
    case string(String)
    case array([JSON])
    case object([Member])

    public struct Member: Sendable, Equatable {
        public let key: String
        public let value: JSON

        public init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// Where and why a text is not JSON.
    public struct SyntaxError: Error, Sendable, CustomStringConvertible {
        /// From 1.
        public let line: Int
        /// In characters of its line, from 1.
        public let column: Int
        public let reason: String
        public var description: String { "not valid JSON at line \(line), column \(column): \(reason)" }
    }

    /// What a key given twice means.
    public enum RepeatedKeys: Sendable {
        case lastCounts, refused
    }

    /// Parses one value; only white space may follow it. Nesting deeper than 64 is refused, and so are texts of more than a
    /// million values, so that a small file cannot ask for much memory.
    public init(
        parsing text: some Sequence<UInt8>, repeatedKeys: RepeatedKeys = .lastCounts
    ) throws(SyntaxError) {
        var parser = JSONParser(bytes: Array(text), repeatedKeys: repeatedKeys)
        self = try parser.document()
    }

    /// The value of `key` if this is an object that has it.
    public subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The number, also when it is written as an integer.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .longNumber(let text): Double(text)
        default: nil
        }
    }

    /// The integer, also when it is written as `8.0`.
    public var int: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }

    /// The value as JSON text on one line. Numbers that are not finite, which JSON does not have, become null.
    public var text: String { written { _ in "null" } }

    private func written(nonFinite word: (Double) -> String) -> String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : word(value)
        case .longNumber(let text): text
        case .string(let value): Self.quoted(value)
        case .array(let values): "[" + values.map { $0.written(nonFinite: word) }.joined(separator: ", ") + "]"
        case .object(let members):
            "{"
                + members.map { "\(Self.quoted($0.key)): \($0.value.written(nonFinite: word))" }
                .joined(separator: ", ") + "}"
        }
    }
}

extension JSON: CustomStringConvertible {
    /// As ``text``, with `Infinity`, `-Infinity` and `NaN` as Python writes them: for messages.
    public var description: String {
        written { $0.isNaN ? "NaN" : $0 < 0 ? "-Infinity" : "Infinity" }
    }
}

extension JSON {
    /// Quotation marks, backslashes and control characters are escaped, line separators with them.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F || (0x2028...0x2029).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
