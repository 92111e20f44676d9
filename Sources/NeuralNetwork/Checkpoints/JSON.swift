/// A JSON value (RFC 8259). Integers that fit are kept exact; an object keeps its order and may not repeat a key.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
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
        public let offset: Int
        public let reason: String
        public var description: String { "not valid JSON at byte \(offset): \(reason)" }
    }

    /// Parses one value; only white space may follow it. Nesting deeper than 64 is refused, and so are texts of more than a
    /// million values, so that a small file cannot ask for much memory.
    public init(parsing text: some Sequence<UInt8>) throws(SyntaxError) {
        var parser = Parser(bytes: Array(text))
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
    public var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.quoted(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { "\(Self.quoted($0.key)): \($0.value.text)" }.joined(separator: ", ") + "}"
        }
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

/// Recursive descent over bytes.
private struct Parser {
    let bytes: [UInt8]
    var position = 0
    private var valueCount = 0
    private static let mostValues = 1_000_000

    init(bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ reason: String) -> JSON.SyntaxError { .init(offset: position, reason: reason) }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func document() throws(JSON.SyntaxError) -> JSON {
        let result = try value(depth: 0)
        skipSpace()
        guard next == nil else { throw failure("text after the value") }
        return result
    }

    mutating func value(depth: Int) throws(JSON.SyntaxError) -> JSON {
        guard depth < 64 else { throw failure("nested deeper than 64") }
        valueCount += 1
        guard valueCount <= Self.mostValues else { throw failure("more than \(Self.mostValues) values") }
        skipSpace()
        guard let byte = next else { throw failure("unexpected end") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("unexpected character")
        }
    }

    mutating func word(_ word: String, _ value: JSON) throws(JSON.SyntaxError) -> JSON {
        for byte in word.utf8 {
            guard next == byte else { throw failure("unexpected character") }
            position += 1
        }
        return value
    }

    mutating func object(depth: Int) throws(JSON.SyntaxError) -> [JSON.Member] {
        position += 1
        var members: [JSON.Member] = []
        var seen: Set<String> = []
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let key = try string()
            guard seen.insert(key).inserted else {
                throw failure("key \"\(CheckpointError.shortened(key))\" appears twice")
            }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            members.append(.init(key, try value(depth: depth + 1)))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return members
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    mutating func array(depth: Int) throws(JSON.SyntaxError) -> [JSON] {
        position += 1
        var values: [JSON] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return values
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return values
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    mutating func number() throws(JSON.SyntaxError) -> JSON {
        let start = position
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        func isPart(_ byte: UInt8) -> Bool { digits.contains(byte) || "+-.eE".utf8.contains(byte) }
        while let byte = next, isPart(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let integer = Int(text), !text.hasPrefix("+") { return .integer(integer) }
        guard let value = Double(text), value.isFinite, text.last != "." else {
            throw failure("number \(text.prefix(40))")
        }
        return .number(value)
    }

    mutating func string() throws(JSON.SyntaxError) -> String {
        position += 1
        var result: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: result, as: UTF8.self) else { throw failure("string is not UTF-8") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &result)
            case ..<0x20: throw failure("control character in a string")
            default: result.append(byte)
            }
        }
        throw failure("string without end")
    }

    mutating func escape(into result: inout [UInt8]) throws(JSON.SyntaxError) {
        guard let byte = next else { throw failure("string without end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourHexDigits()
            if (0xD800..<0xDC00).contains(code), next == UInt8(ascii: "\\"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = try fourHexDigits()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
            result.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw failure("unknown escape")
        }
    }

    mutating func fourHexDigits() throws(JSON.SyntaxError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("string without end") }
        let text = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard text.utf8.count == 4, !text.hasPrefix("+"), let code = UInt32(text, radix: 16) else {
            throw failure("\\u needs four hexadecimal digits")
        }
        position += 4
        return code
    }
}
