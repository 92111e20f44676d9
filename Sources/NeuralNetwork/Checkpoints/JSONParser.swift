/// Recursive descent over bytes.
struct JSONParser {
    private let bytes: [UInt8]
    private let repeatedKeys: JSON.RepeatedKeys
    private var position = 0
    private var valueCount = 0
    private static let mostValues = 1_000_000

    init(bytes: [UInt8], repeatedKeys: JSON.RepeatedKeys) {
        (self.bytes, self.repeatedKeys) = (bytes, repeatedKeys)
    }

    /// - Parameter place: the byte at fault; nil for the next one.
    private func failure(_ reason: String, at place: Int? = nil) -> JSON.SyntaxError {
        let before = bytes[..<min(place ?? position, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let start = (before.lastIndex(of: 0x0A) ?? -1) + 1
        // The bytes that continue a character of UTF-8 are no characters of their own.
        let column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
        return JSON.SyntaxError(line: line, column: column, reason: reason)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func document() throws(JSON.SyntaxError) -> JSON {
        let result = try value(depth: 0)
        skipSpace()
        guard next == nil else { throw failure("text after the value") }
        return result
    }

    private mutating func value(depth: Int) throws(JSON.SyntaxError) -> JSON {
        guard depth < 64 else { throw failure("nested deeper than 64") }
        valueCount += 1
        guard valueCount <= Self.mostValues else { throw failure("more than \(Self.mostValues) values") }
        skipSpace()
        guard let byte = next else { throw failure("the text ends where a value should stand") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "N"): return try word("NaN", .number(.nan))
        case UInt8(ascii: "I"): return try word("Infinity", .number(.infinity))
        case UInt8(ascii: "-") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "I"):
            return try word("-Infinity", .number(-.infinity))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "'"): throw failure("a string stands in double quotation marks")
        case UInt8(ascii: "/"), UInt8(ascii: "#"): throw failure("JSON has no comments")
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): throw failure("expected a value")
        default: throw failure("expected a value; words such as names stand in quotation marks")
        }
    }

    private mutating func word(_ word: String, _ value: JSON) throws(JSON.SyntaxError) -> JSON {
        let start = position
        for byte in word.utf8 {
            guard next == byte else { throw failure("expected the word \(word)", at: start) }
            position += 1
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSON.SyntaxError) -> [JSON.Member] {
        position += 1
        var members: [JSON.Member] = []
        // By their bytes: strings that look alike are equal in Swift, and different keys in JSON.
        var places: [[UInt8]: Int] = [:]
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a key in double quotation marks") }
            let start = position
            let key = try string()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw failure("expected ':' after the key") }
            position += 1
            let member = JSON.Member(key, try value(depth: depth + 1))
            let bytes = Array(key.utf8)
            if let place = places[bytes] {
                guard repeatedKeys == .lastCounts else {
                    throw failure("key \"\(CheckpointError.shortened(key))\" appears twice", at: start)
                }
                members[place] = member
            } else {
                places[bytes] = members.count
                members.append(member)
            }
            skipSpace()
            switch next {
            case UInt8(ascii: ","): try comma(before: UInt8(ascii: "}"))
            case UInt8(ascii: "}"):
                position += 1
                return members
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    /// Takes a comma, which something other than the end of the list must follow.
    private mutating func comma(before end: UInt8) throws(JSON.SyntaxError) {
        let place = position
        position += 1
        skipSpace()
        if next == end { throw failure("a comma after the last entry", at: place) }
    }

    private mutating func array(depth: Int) throws(JSON.SyntaxError) -> [JSON] {
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
            case UInt8(ascii: ","): try comma(before: UInt8(ascii: "]"))
            case UInt8(ascii: "]"):
                position += 1
                return values
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    private mutating func number() throws(JSON.SyntaxError) -> JSON {
        let start = position
        let zero = UInt8(ascii: "0")
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (zero...UInt8(ascii: "9")).contains($0) } ?? false }
        if next == UInt8(ascii: "-") { position += 1 }
        guard isDigit(next) else { throw failure("expected a digit after the sign") }
        let isZero = next == zero
        position += 1
        if isZero, isDigit(next) { throw failure("a number does not begin with 0", at: start) }
        while isDigit(next) { position += 1 }
        var isInteger = true
        if next == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard isDigit(next) else { throw failure("expected a digit after the point") }
            while isDigit(next) { position += 1 }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            guard isDigit(next) else { throw failure("expected a digit in the exponent") }
            while isDigit(next) { position += 1 }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger { return Int(text).map { .integer($0) } ?? .longNumber(text) }
        guard let value = Double(text) else { throw failure("a number that cannot be read", at: start) }
        return value.isFinite ? .number(value) : .longNumber(text)
    }

    private mutating func string() throws(JSON.SyntaxError) -> String {
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

    private mutating func escape(into result: inout [UInt8]) throws(JSON.SyntaxError) {
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

    private mutating func fourHexDigits() throws(JSON.SyntaxError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("string without end") }
        let text = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard text.utf8.count == 4, !text.hasPrefix("+"), let code = UInt32(text, radix: 16) else {
            throw failure("\\u needs four hexadecimal digits")
        }
        position += 4
        return code
    }
}
