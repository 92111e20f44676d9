/// A regular expression that cuts words: as much of the language as tokenizers use, matched without recursion over the text.
///
/// Alternatives, groups (also `(?:…)`, `(?i:…)`, `(?=…)` and `(?!…)`), classes, `\p{…}` of general categories, `\s \S \d \D \r \n \t`,
/// and `? * + {m,n}` after one character or class, `?` after a group too. The first alternative that matches counts, and as many
/// repetitions as may be.
struct WordPattern: Sendable {
    /// GPT-2's.
    static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    struct Failure: Error {
        let reason: String
    }

    private indirect enum Node: Sendable {
        case any([[Node]])
        case one(Class, least: Int, most: Int, gives: Bool)
        case maybe(Node)
        case look([[Node]], isNegative: Bool)
    }

    private struct Class: Sendable {
        var isNegative = false
        var ranges: [ClosedRange<UInt32>] = []
        var categories: [(isNegative: Bool, kind: Kind)] = []
        var ignoresCase = false

        enum Kind: Sendable {
            case letter, number, mark, punctuation, symbol, separator, space, digit
            case exactly(Unicode.GeneralCategory)
        }

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            var isIn = contains(scalar)
            if !isIn, ignoresCase {
                let folded = Self.folded(scalar)
                isIn = ranges.contains { range in
                    range.count == 1 && Unicode.Scalar(range.lowerBound).map { Self.folded($0) == folded } == true
                }
            }
            return isIn != isNegative
        }

        private func contains(_ scalar: Unicode.Scalar) -> Bool {
            ranges.contains { $0.contains(scalar.value) }
                || categories.contains { Self.isOf($0.kind, scalar) != $0.isNegative }
        }

        private static func folded(_ scalar: Unicode.Scalar) -> String {
            scalar.properties.uppercaseMapping.lowercased()
        }

        private static func isOf(_ kind: Kind, _ scalar: Unicode.Scalar) -> Bool {
            let category = scalar.properties.generalCategory
            switch kind {
            case .space: return scalar.properties.isWhitespace
            case .digit: return category == .decimalNumber
            case .exactly(let wanted): return category == wanted
            case .letter:
                return [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]
                    .contains(category)
            case .number: return [.decimalNumber, .letterNumber, .otherNumber].contains(category)
            case .mark: return [.nonspacingMark, .spacingMark, .enclosingMark].contains(category)
            case .punctuation:
                return [
                    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                    .finalPunctuation, .otherPunctuation,
                ].contains(category)
            case .symbol:
                return [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol].contains(category)
            case .separator: return [.spaceSeparator, .lineSeparator, .paragraphSeparator].contains(category)
            }
        }
    }

    private let alternatives: [[Node]]

    /// - Throws: `Failure` saying what is not supported.
    init(_ pattern: String) throws(Failure) {
        var parser = Parser(scalars: Array(pattern.unicodeScalars))
        guard parser.scalars.count <= 4096 else { throw Failure(reason: "it is longer than 4096 characters") }
        alternatives = try parser.alternatives(ignoresCase: false, depth: 0)
        guard parser.isAtEnd else { throw Failure(reason: "a ) without its (") }
    }

    /// The matches in a text, and what is between them, in order.
    func pieces(of text: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var pieces: [[Unicode.Scalar]] = []
        var (start, place) = (0, 0)
        while place < text.count {
            guard let end = Self.match(alternatives, text, place, { $0 }), end > place else {
                place += 1
                continue
            }
            if start < place { pieces.append(Array(text[start..<place])) }
            pieces.append(Array(text[place..<end]))
            (start, place) = (end, end)
        }
        if start < text.count { pieces.append(Array(text[start...])) }
        return pieces
    }

    /// Where a match from `place` on ends that `rest` can follow.
    private static func match(
        _ alternatives: [[Node]], _ text: [Unicode.Scalar], _ place: Int, _ rest: (Int) -> Int?
    ) -> Int? {
        for sequence in alternatives {
            if let end = match(sequence[...], text, place, rest) { return end }
        }
        return nil
    }

    private static func match(
        _ sequence: ArraySlice<Node>, _ text: [Unicode.Scalar], _ place: Int, _ rest: (Int) -> Int?
    ) -> Int? {
        guard let node = sequence.first else { return rest(place) }
        let others = sequence.dropFirst()
        switch node {
        case .any(let alternatives):
            return match(alternatives, text, place) { match(others, text, $0, rest) }
        case .maybe(let inner):
            return match([inner], text, place) { match(others, text, $0, rest) } ?? match(others, text, place, rest)
        case .look(let alternatives, let isNegative):
            return (match(alternatives, text, place) { $0 } == nil) == isNegative
                ? match(others, text, place, rest) : nil
        case .one(let kind, let least, let most, let gives):
            var end = place
            while end < text.count, end - place < most, kind.matches(text[end]) { end += 1 }
            while end - place >= least {
                if let found = match(others, text, end, rest) { return found }
                if !gives { return nil }
                end -= 1
            }
            return nil
        }
    }

    // MARK: Reading a pattern

    private struct Parser {
        let scalars: [Unicode.Scalar]
        var place = 0

        var isAtEnd: Bool { place == scalars.count }
        private var next: Unicode.Scalar? { isAtEnd ? nil : scalars[place] }

        private mutating func take(_ text: String) -> Bool {
            let wanted = Array(text.unicodeScalars)
            guard scalars[place...].starts(with: wanted) else { return false }
            place += wanted.count
            return true
        }

        mutating func alternatives(ignoresCase: Bool, depth: Int) throws(Failure) -> [[Node]] {
            guard depth < 16 else { throw Failure(reason: "groups nested deeper than 16") }
            var result: [[Node]] = [[]]
            while let scalar = next, scalar != ")" {
                if take("|") {
                    result.append([])
                } else {
                    result[result.count - 1].append(try node(ignoresCase: ignoresCase, depth: depth))
                }
            }
            return result
        }

        private mutating func node(ignoresCase: Bool, depth: Int) throws(Failure) -> Node {
            if take("(") {
                var (ignoresCase, look) = (ignoresCase, Bool?.none)
                if take("?") {
                    if take("i:") {
                        ignoresCase = true
                    } else if take("=") {
                        look = false
                    } else if take("!") {
                        look = true
                    } else if !take(":") {
                        throw Failure(reason: "a group that begins with (? and none of : i: = !")
                    }
                }
                let inner = try alternatives(ignoresCase: ignoresCase, depth: depth + 1)
                guard take(")") else { throw Failure(reason: "a ( without its )") }
                if let look { return .look(inner, isNegative: look) }
                if take("?") { return .maybe(.any([[.any(inner)]])) }
                if let scalar = next, "*+{".unicodeScalars.contains(scalar) {
                    throw Failure(reason: "a group that is repeated")
                }
                return .any(inner)
            }
            var kind = try next == "[" ? bracket() : single()
            kind.ignoresCase = ignoresCase
            var (least, most) = (1, 1)
            if take("?") {
                (least, most) = (0, 1)
            } else if take("*") {
                (least, most) = (0, .max)
            } else if take("+") {
                (least, most) = (1, .max)
            } else if take("{") {
                (least, most) = try counts()
            } else {
                return .one(kind, least: 1, most: 1, gives: true)
            }
            if next == "?" { throw Failure(reason: "as few repetitions as may be") }
            return .one(kind, least: least, most: most, gives: !take("+"))
        }

        /// `m}`, `m,}` or `m,n}`.
        private mutating func counts() throws(Failure) -> (Int, Int) {
            func number(_ parser: inout Parser) -> Int? {
                var digits = ""
                while let scalar = parser.next, ("0"..."9").contains(scalar), digits.count < 4 {
                    digits.unicodeScalars.append(scalar)
                    parser.place += 1
                }
                return Int(digits)
            }
            let least = number(&self)
            var most = least
            if take(",") { most = number(&self) ?? .max }
            guard let least, let most, least <= most, take("}") else {
                throw Failure(reason: "a { that is not followed by counts")
            }
            return (least, most)
        }

        private mutating func single() throws(Failure) -> Class {
            guard let scalar = next else { throw Failure(reason: "an end where a character should stand") }
            place += 1
            if scalar == "\\" { return try escape() }
            if ".^$*+?{}]".unicodeScalars.contains(scalar) { throw Failure(reason: "a bare \(scalar)") }
            return Class(ranges: [scalar.value...scalar.value])
        }

        /// What follows a backslash.
        private mutating func escape() throws(Failure) -> Class {
            guard let scalar = next else { throw Failure(reason: "an end after a backslash") }
            place += 1
            func one(_ value: UInt32) -> Class { Class(ranges: [value...value]) }
            switch scalar {
            case "s": return Class(categories: [(false, .space)])
            case "S": return Class(categories: [(true, .space)])
            case "d": return Class(categories: [(false, .digit)])
            case "D": return Class(categories: [(true, .digit)])
            case "r": return one(0x0D)
            case "n": return one(0x0A)
            case "t": return one(0x09)
            case "p", "P": return Class(categories: [(scalar == "P", try category())])
            default:
                // A letter or digit would mean something.
                guard scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
                    throw Failure(reason: "\\\(scalar)")
                }
                return one(scalar.value)
            }
        }

        private mutating func category() throws(Failure) -> Class.Kind {
            guard take("{"), let end = scalars[place...].firstIndex(of: "}") else {
                throw Failure(reason: "a \\p without its {…}")
            }
            let name = scalars[place..<end].map { String($0) }.joined()
            place = end + 1
            switch name {
            case "L": return .letter
            case "N": return .number
            case "M": return .mark
            case "P": return .punctuation
            case "S": return .symbol
            case "Z": return .separator
            case "Lu": return .exactly(.uppercaseLetter)
            case "Ll": return .exactly(.lowercaseLetter)
            case "Lt": return .exactly(.titlecaseLetter)
            case "Lm": return .exactly(.modifierLetter)
            case "Lo": return .exactly(.otherLetter)
            case "Nd": return .digit
            default: throw Failure(reason: "\\p{\(name.prefix(20))}")
            }
        }

        private mutating func bracket() throws(Failure) -> Class {
            place += 1
            var result = Class()
            result.isNegative = take("^")
            while let scalar = next, scalar != "]" {
                if scalar == "[" || take("&&") { throw Failure(reason: "a class within a class") }
                place += 1
                var item = Class(ranges: [scalar.value...scalar.value])
                if scalar == "\\" { item = try escape() }
                if item.ranges.count == 1, next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" {
                    place += 1
                    guard let end = next, end != "[", end != "\\", end.value >= item.ranges[0].lowerBound else {
                        throw Failure(reason: "a range that does not end with a later character")
                    }
                    place += 1
                    item.ranges = [item.ranges[0].lowerBound...end.value]
                }
                result.ranges += item.ranges
                result.categories += item.categories
            }
            guard take("]") else { throw Failure(reason: "a [ without its ]") }
            return result
        }
    }
}
