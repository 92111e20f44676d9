import NeuralNetwork
@_spi(_Unicode) import Swift

/// CLIP's byte-pair tokenizer: text in NFC and lower case, words cut at classes of characters, each word's bytes merged by
/// rank, its last symbol marked by `</w>`; a beginning and an end around it, padded to one length.
///
/// (transformers `models/clip/tokenization_clip.py`)
public struct CLIPTokenizer: Sendable {
    /// Tokens of every encoded text, beginning, end and padding included.
    public let length: Int
    private let vocabulary: [String: Int]
    private let merges: [Pair: Merge]
    private let beginning: Int
    private let end: Int
    private let padding: Int
    private let unknown: Int
    /// Texts that are a token each wherever they stand, the longest first.
    private let specials: [(text: [Unicode.Scalar], token: Int)]

    private struct Pair: Hashable { let left, right: Int }
    private struct Merge { let rank, union: Int }

    /// What marks a word's last symbol.
    private static let wordEnd = "</w>"

    /// - Parameter folder: of `vocab.json` and `merges.txt`, or of `tokenizer.json`; and of `tokenizer_config.json`.
    /// - Throws: `ModelError` naming the file and what is wrong with it.
    public init(folder: String) throws {
        let files = try CLIPTokenizerFiles(folder: folder)
        vocabulary = files.vocabulary
        length = files.length
        func token(_ key: String, _ text: String) throws(ModelError) -> Int {
            guard let token = files.vocabulary[text] else {
                throw ModelError(
                    files.settings, key: key, expected: "a token of the vocabulary", found: "\"\(text.prefix(60))\"")
            }
            return token
        }
        beginning = try token("bos_token", files.beginning)
        end = try token("eos_token", files.end)
        padding = try token("pad_token", files.padding)
        unknown = try token("unk_token", files.unknown)
        var merges: [Pair: Merge] = [:]
        for (rank, (left, right)) in files.merges.enumerated() {
            guard let first = vocabulary[left], let second = vocabulary[right], let union = vocabulary[left + right]
            else {
                throw ModelError(
                    files.mergesFile, key: "merge \(rank + 1)",
                    expected: "symbols of the vocabulary whose union is one",
                    found: "\"\(left.prefix(60)) \(right.prefix(60))\"")
            }
            let pair = Pair(left: first, right: second)
            if merges[pair] == nil { merges[pair] = Merge(rank: rank, union: union) }
        }
        self.merges = merges
        let texts = Set([files.beginning, files.end, files.padding, files.unknown]).filter { !$0.isEmpty }
        specials = texts.sorted { ($0.unicodeScalars.count, $0) > ($1.unicodeScalars.count, $1) }
            .map { (Array($0.unicodeScalars), files.vocabulary[$0] ?? 0) }
    }

    /// ``length`` tokens for a text: the beginning, as much of the text as there is room for, the end, and padding.
    public func encode(_ text: String) -> [Int] {
        var tokens = [beginning] + self.tokens(of: text).prefix(length - 2) + [end]
        tokens += Array(repeating: padding, count: length - tokens.count)
        return tokens
    }

    /// The tokens of a text alone.
    private func tokens(of text: String) -> [Int] {
        var result: [Int] = []
        var segment = String.UnicodeScalarView()
        func finish() {
            for word in Words(String(segment)).words { result += merged(word) }
            segment = String.UnicodeScalarView()
        }
        let scalars = Array(text.unicodeScalars)
        var position = 0
        while position < scalars.count {
            // Special tokens count as they are written, before anything is made of the text.
            if let special = specials.first(where: { scalars[position...].starts(with: $0.text) }) {
                finish()
                result.append(special.token)
                position += special.text.count
            } else {
                segment.append(scalars[position])
                position += 1
            }
        }
        finish()
        return result
    }

    /// The bytes of a word as tokens, the neighbours of lowest rank merged, the leftmost of equals, until no more can be.
    private func merged(_ word: String) -> [Int] {
        let symbols = word.utf8.map { ByteSymbols.all[Int($0)] }
        var current = symbols.indices.map { index in
            vocabulary[index == symbols.count - 1 ? symbols[index] + Self.wordEnd : symbols[index]] ?? unknown
        }
        while current.count > 1 {
            var best: (place: Int, merge: Merge)?
            for place in 0..<current.count - 1 {
                guard let merge = merges[Pair(left: current[place], right: current[place + 1])] else { continue }
                if best.map({ merge.rank < $0.merge.rank }) ?? true { best = (place, merge) }
            }
            guard let best else { break }
            current[best.place] = best.merge.union
            current.remove(at: best.place + 1)
        }
        return current
    }
}

/// The words of a text: `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+` of it in NFC and lower case, and its
/// special tokens' spellings by themselves.
private struct Words {
    private(set) var words: [String] = []

    /// Longer words are cut, so that the time for a text grows with its length only.
    private static let longest = 1024

    private enum Class { case letter, number, space, other }

    private static func kind(_ scalar: Unicode.Scalar) -> Class {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: scalar.properties.isWhitespace ? .space : .other
        }
    }

    private static let suffixes = ["s", "t", "re", "ve", "m", "ll", "d"].map { Array($0.unicodeScalars) }
    /// Spelt in capitals they reach this place; they stand alone, in three parts.
    private static let spellings = ["startoftext", "endoftext"].map { Array("<|\($0)|>".unicodeScalars) }

    init(_ text: String) {
        let scalars = text._nfc.flatMap { $0.properties.lowercaseMapping.unicodeScalars }
        var position = 0
        while position < scalars.count {
            let rest = scalars[position...]
            if rest.first == "<", let spelling = Self.spellings.first(where: rest.starts) {
                for part in [spelling.prefix(2), spelling.dropFirst(2).dropLast(2), spelling.suffix(2)] { add(part) }
                position += spelling.count
                continue
            }
            if rest.first == "'", let suffix = Self.suffixes.first(where: rest.dropFirst().starts) {
                add(rest.prefix(1 + suffix.count))
                position += 1 + suffix.count
                continue
            }
            let kind = Self.kind(scalars[position])
            var end = position + 1
            if kind == .letter || kind == .other {
                while end < scalars.count, end - position < Self.longest, Self.kind(scalars[end]) == kind { end += 1 }
            }
            if kind != .space { add(scalars[position..<end]) }
            position = end
        }
    }

    private mutating func add(_ scalars: ArraySlice<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        words.append(String(view))
    }
}

/// The visible character that stands for each byte in byte-pair vocabularies (GPT-2's `bytes_to_unicode`): itself where it
/// is visible, else one from 256 on.
private enum ByteSymbols {
    static let all: [String] = {
        var next: UInt32 = 256
        return (0..<256).map { byte -> String in
            let isVisible = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            defer { if !isVisible { next += 1 } }
            return Unicode.Scalar(isVisible ? UInt32(byte) : next).map { String(Character($0)) } ?? ""
        }
    }()
}
