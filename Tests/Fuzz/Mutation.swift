import Couplings

/// Spoils bytes and words, by a stream of random numbers.
struct Mutator {
    private var stream: RandomStream

    init(_ stream: RandomStream) { self.stream = stream }

    /// In 0 ..< count.
    mutating func below(_ count: Int) -> Int { min(Int(stream.uniform() * Double(count)), count - 1) }
    mutating func chance(_ probability: Double) -> Bool { stream.uniform() < probability }
    mutating func pick<Element>(_ items: [Element]) -> Element { items[below(items.count)] }

    /// Numbers at which things break.
    static let numbers = [
        "0", "-1", "1", "2", "3", "7", "64", "255", "65535", "65536", "65537", "1000000", "2147483647", "-2147483648",
        "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e308", "-1e308", "1e309",
        "1e-320",
        "0.5", "0.1", "1e-9", "0.999999999", "8.0", "1E+2", "-0", "-0.0", "NaN", "Infinity", "-Infinity", "nan", "inf",
        "0x10", "1e", "1.",
    ]

    /// Words of JSON in a place where they may not belong.
    private static let words = [
        "null", "true", "false", "[]", "{}", "\"\"", "\"x\"", "[[]]", "{\"a\":{}}", ",", ":", "\"", "\\u0000",
        "\\ud800", "[", "{", "]", "}",
        "\u{0}", "\u{FEFF}", "🧵", "[1,[2,[3]]]", "\"F32\"", "\"BF16\"", "\"U8\"", "\"linear\"", "\"scaled_linear\"",
        "\"squaredcos_cap_v2\"",
        "\"sigmoid\"", "\"laplace\"", "\"v_prediction\"", "\"sample\"", "\"cosine\"", "\"flow\"", "\"vp-linear\"",
        "\"AttnDownBlock2D\"",
        "\"ResnetDownsampleBlock2D\"", "\"timestep\"", "\"identity\"", "\"scale_shift\"", "\"trailing\"",
        "\"fixed_large\"",
    ]

    /// A few changes to bytes of any kind.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(4) { bytes = changed(bytes) }
        return bytes
    }

    private mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        guard !bytes.isEmpty else { return [UInt8(below(256))] }
        let place = below(bytes.count)
        let end = min(bytes.count, place + 1 + below(min(64, bytes.count)))
        switch below(9) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = UInt8(below(256))
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count))
        case 4: bytes.removeLast(bytes.count - place)
        case 5: bytes.insert(contentsOf: (0..<1 + below(16)).map { _ in UInt8(below(256)) }, at: place)
        case 6:
            // An integer of four or eight bytes.
            let value = pick([
                0, 1, -1, 2, 16, 255, 1 << 16, 1 << 24, 1 << 30, Int(Int32.max), Int(Int32.min), .max, .min, 1 << 40,
            ])
            let size = pick([4, 8])
            let aligned = place / 4 * 4
            for k in 0..<size where aligned + k < bytes.count {
                bytes[aligned + k] = UInt8(truncatingIfNeeded: value >> (8 * k))
            }
        case 7: bytes = changedText(bytes, at: place)
        default: bytes = changedNumber(bytes, near: place)
        }
        return bytes
    }

    /// Changes to a text of JSON, most of which leave it one.
    mutating func mutateText(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return bytes }
            let place = below(bytes.count)
            switch below(6) {
            case 0, 1, 2: bytes = changedNumber(bytes, near: place)
            case 3: bytes = changedText(bytes, at: place)
            case 4: bytes = changedMember(bytes, near: place)
            default: bytes = changed(bytes)
            }
        }
        return bytes
    }

    /// Puts another number in the place of the next one.
    private mutating func changedNumber(_ bytes: [UInt8], near place: Int) -> [UInt8] {
        func isPart(_ byte: UInt8) -> Bool { "+-.eE0123456789".utf8.contains(byte) }
        func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) ?? bytes.firstIndex(where: isDigit) else {
            return bytes
        }
        let end = bytes[start...].firstIndex { !isPart($0) } ?? bytes.count
        var bytes = bytes
        bytes.replaceSubrange(start..<end, with: Array(pick(Self.numbers).utf8))
        return bytes
    }

    /// Puts in a word, or puts it in the place of a value.
    private mutating func changedText(_ bytes: [UInt8], at place: Int) -> [UInt8] {
        var bytes = bytes
        let word = Array(pick(Self.words).utf8)
        if chance(0.7), let colon = bytes[place...].firstIndex(of: UInt8(ascii: ":")) {
            let end = bytes[(colon + 1)...].firstIndex { ",}]\n".utf8.contains($0) } ?? bytes.count
            bytes.replaceSubrange(colon + 1..<end, with: word)
        } else {
            let end = chance(0.5) ? place : min(bytes.count, place + word.count)
            bytes.replaceSubrange(place..<end, with: word)
        }
        if chance(0.02) {
            let depth = pick([10, 63, 64, 65, 600, 100_000])
            bytes.insert(contentsOf: [UInt8](repeating: UInt8(ascii: pick(["[", "{"])), count: depth), at: place)
        }
        return bytes
    }

    /// Leaves a member or an element out, or has it twice.
    private mutating func changedMember(_ bytes: [UInt8], near place: Int) -> [UInt8] {
        let comma = UInt8(ascii: ",")
        guard let start = bytes[place...].firstIndex(of: comma) else { return bytes }
        let end =
            bytes[(start + 1)...].firstIndex { $0 == comma || $0 == UInt8(ascii: "}") || $0 == UInt8(ascii: "]") }
            ?? bytes.count
        var bytes = bytes
        if chance(0.5) {
            bytes.removeSubrange(start..<end)
        } else {
            let copies = chance(0.05) ? 20_000 : 1
            bytes.insert(contentsOf: Array(repeatElement(Array(bytes[start..<end]), count: copies).joined()), at: end)
        }
        return bytes
    }

    /// A safetensors file with a corrupted header, most often with a length that is right for it.
    mutating func mutateSafetensors(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count > 16, chance(0.8) else { return mutate(bytes) }
        let length = bytes[..<8].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = mutateText(Array(bytes[8..<8 + length]))
        var data = Array(bytes[(8 + length)...])
        if chance(0.1) { data = mutate(data) }
        let count = chance(0.9) ? header.count : below(1 << 40)
        return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + header + data
    }

    /// A distribution with outcomes that cannot happen, hardly happen, or are alike.
    mutating func distribution(of size: Int) -> [UInt8] {
        let weights = (0..<size).map { _ in pick([0, 0, 1, 1, 1e-300, 1e-17, 1e-9, stream.uniform(), stream.uniform()])
        }
        let sum = weights.reduce(0, +)
        let values = sum > 0 ? weights.map { $0 / sum } : (0..<size).map { $0 == 0 ? 1 : 0 }
        return Array("[\(values.map { "\($0)" }.joined(separator: ", "))]".utf8)
    }

    /// Words of a command line.
    mutating func mutateArguments(_ arguments: [String]) -> [String] {
        var arguments = arguments
        for _ in 0...below(3) {
            guard arguments.count > 1 else { return arguments }
            let place = 1 + below(arguments.count - 1)
            switch below(6) {
            case 0, 1: arguments[place] = pick(Self.numbers)
            case 2: arguments[place] = String(decoding: mutate(Array(arguments[place].utf8)), as: UTF8.self)
            case 3: arguments.remove(at: place)
            case 4: arguments.insert(pick(arguments), at: place)
            default: arguments[place] = String(decoding: mutateText(Array(arguments[place].utf8)), as: UTF8.self)
            }
        }
        return arguments
    }
}
