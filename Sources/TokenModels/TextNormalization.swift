import Foundation

/// What is made of a text before it is cut into words.
enum TextNormalization: Sendable {
    /// Unicode's forms C and KC.
    case composed, compatible
    case prepend([Unicode.Scalar])
    case replace([Unicode.Scalar], [Unicode.Scalar])

    func applied(to text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        func string() -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: text)
            return String(view)
        }
        switch self {
        case .composed: return Array(string().precomposedStringWithCanonicalMapping.unicodeScalars)
        case .compatible: return Array(string().precomposedStringWithCompatibilityMapping.unicodeScalars)
        case .prepend(let start): return text.isEmpty ? text : start + text
        case .replace(let old, let new): return text.replacing(old, with: new)
        }
    }
}

/// How a text is cut into words, one step after another.
enum WordCut: Sendable {
    /// At the matches of a pattern: each of them is a word, and so is what is between them.
    case pattern(WordPattern)
    /// Words become the characters that stand for their bytes.
    case bytes
    /// A space before a word that begins with none.
    case prefixSpace
    /// Spaces become a mark; before a text that begins with none one is put, or not; and words are cut before each mark, or not.
    case spaces(Unicode.Scalar, Prepends, cuts: Bool)

    enum Prepends: String { case always, first, never }

    func applied(to word: [Unicode.Scalar], isFirst: Bool) -> [[Unicode.Scalar]] {
        switch self {
        case .pattern(let pattern): return pattern.pieces(of: word)
        case .bytes:
            return [word.flatMap { scalar in scalar.utf8.map { ByteSymbols.scalars[Int($0)] } }]
        case .prefixSpace: return [word.first == " " ? word : [" "] + word]
        case .spaces(let mark, let prepends, let cuts):
            var marked = word.map { $0 == " " ? mark : $0 }
            if marked.first != mark, prepends == .always || (prepends == .first && isFirst) {
                marked.insert(mark, at: 0)
            }
            guard cuts else { return [marked] }
            var words: [[Unicode.Scalar]] = []
            for scalar in marked {
                if scalar == mark || words.isEmpty { words.append([]) }
                words[words.count - 1].append(scalar)
            }
            return words
        }
    }
}

/// The visible character that stands for each byte in byte-pair vocabularies (GPT-2's `bytes_to_unicode`): itself where it
/// is visible, else one from 256 on.
enum ByteSymbols {
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 256
        return (0..<256).map { byte in
            let isVisible = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            defer { if !isVisible { next += 1 } }
            return Unicode.Scalar(isVisible ? UInt32(byte) : next) ?? " "
        }
    }()

    static let bytes = Dictionary(uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })
}

/// How the pieces of tokens become a text, one step after another.
struct PieceDecoder: Sendable {
    enum Step: Sendable {
        /// Characters that stand for bytes become these.
        case bytes
        /// `<0xAB>` becomes a byte. Bytes that follow each other and are no UTF-8 become a replacement character each.
        case fallback
        /// All pieces become one.
        case fuse
        case replace([UInt8], [UInt8])
        /// Up to so many of a character at both ends of each piece are dropped.
        case strip(UInt8, start: Int, stop: Int)
        /// Marks become spaces; the first piece's own first may be dropped.
        case spaces([UInt8], dropsFirst: Bool)
    }

    let steps: [Step]

    func text(of pieces: [[UInt8]]) -> String {
        // Without a decoder the library writes spaces between tokens.
        if steps.isEmpty { return String(decoding: Array(pieces.joined(separator: [0x20])), as: UTF8.self) }
        return String(decoding: steps.reduce(pieces) { Self.apply($1, to: $0) }.joined(), as: UTF8.self)
    }

    private static func apply(_ step: Step, to pieces: [[UInt8]]) -> [[UInt8]] {
        switch step {
        case .bytes:
            return [
                pieces.flatMap { piece -> [UInt8] in
                    let scalars = String(decoding: piece, as: UTF8.self).unicodeScalars
                    // A piece with another character is a text by itself, such as an added token.
                    let bytes = scalars.map { ByteSymbols.bytes[$0] }
                    return bytes.contains(nil) ? piece : bytes.compactMap { $0 }
                }
            ]
        case .fuse: return [Array(pieces.joined())]
        case .replace(let old, let new): return pieces.map { $0.replacing(old, with: new) }
        case .spaces(let mark, let dropsFirst):
            return pieces.enumerated().map { index, piece in
                let isDropped = dropsFirst && index == 0 && piece.starts(with: mark)
                return (isDropped ? Array(piece.dropFirst(mark.count)) : piece).replacing(mark, with: [0x20])
            }
        case .strip(let byte, let start, let stop):
            return pieces.map { piece in
                let first = piece.prefix(start).prefix { $0 == byte }.count
                let last = piece.dropFirst(first).suffix(stop).reversed().prefix { $0 == byte }.count
                return Array(piece.dropFirst(first).dropLast(last))
            }
        case .fallback:
            var result: [[UInt8]] = []
            var waiting: [UInt8] = []
            func finish() {
                if waiting.isEmpty { return }
                let isText = String(validating: waiting, as: UTF8.self) != nil
                result += isText ? [waiting] : waiting.map { _ in Array("\u{FFFD}".utf8) }
                waiting = []
            }
            for piece in pieces {
                if let byte = byte(of: piece) {
                    waiting.append(byte)
                } else {
                    finish()
                    result.append(piece)
                }
            }
            finish()
            return result
        }
    }

    private static func byte(of piece: [UInt8]) -> UInt8? {
        guard piece.count == 6, piece.starts(with: Array("<0x".utf8)), piece[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: piece[3..<5], as: UTF8.self), radix: 16)
    }
}
