import Foundation
import NeuralNetwork

/// A byte-pair tokenizer of a `tokenizer.json`, as the library `tokenizers` writes it: those of GPT-2 and Llama 3, which cut a text into
/// words and those into bytes, and those of Llama 2, which write spaces as `▁` and cut what has no piece into bytes.
///
/// A text is cut at the added tokens that stand in it; what is between them is normalised, cut into words, and each word's characters are
/// merged by rank.
public struct TransformersTokenizer: TextTokenizer {
    private let file: TransformersTokenizerFile
    private let pieces: [Int: [UInt8]]
    private let merges: [Pair: Merge]

    private struct Pair: Hashable { let left, right: Int }
    private struct Merge { let rank, union: Int }

    /// - Parameter path: of `tokenizer.json`.
    /// - Throws: `TokenModelError` naming the file, the key, and what is not supported.
    public init(path: String) throws {
        file = try TransformersTokenizerFile(path: path)
        var merges: [Pair: Merge] = [:]
        for (rank, (left, right)) in file.merges.enumerated() {
            guard let first = file.vocabulary[left], let second = file.vocabulary[right],
                let union = file.vocabulary[left + right]
            else {
                throw TokenModelError.malformed(
                    file: path, expected: "merge \(rank) of pieces of the vocabulary whose union is one",
                    found: "\"\(String(decoding: (left + right).prefix(60), as: UTF8.self))\"")
            }
            // Of a pair given twice the last counts, as in the library.
            merges[Pair(left: first, right: second)] = Merge(rank: rank, union: union)
        }
        self.merges = merges
        pieces = Dictionary(file.vocabulary.map { ($1, $0) }) { first, _ in first }
            .merging(file.added.map { ($0.token, $0.bytes) }) { $1 }
        vocabularySize = (pieces.keys.max() ?? -1) + 1
    }

    public let vocabularySize: Int

    /// Whether another has the same tokens.
    public func hasSameTokens(as other: TransformersTokenizer) -> Bool { pieces == other.pieces }

    /// - Throws: nothing; a character that has neither a piece nor bytes becomes the unknown token, or is left out where there is none.
    public func encode(_ text: String) -> [Int] {
        var tokens: [Int] = []
        for part in parts(Array(text.unicodeScalars)) {
            switch part {
            case .token(let token): tokens.append(token)
            case .text(let scalars, let isFirst):
                let normal = file.normalizer.reduce(scalars) { $1.applied(to: $0) }
                if normal.isEmpty { continue }
                for word in file.words(normal, isFirst: isFirst) { tokens += self.tokens(of: word) }
            }
        }
        return file.prefix + tokens + file.suffix
    }

    private enum Part {
        case token(Int)
        case text([Unicode.Scalar], isFirst: Bool)
    }

    /// The text cut at added tokens: the leftmost of them, of those that begin there the longest.
    private func parts(_ text: [Unicode.Scalar]) -> [Part] {
        var parts: [Part] = []
        var (start, place) = (0, 0)
        func finish(_ end: Int) {
            if start < end { parts.append(.text(Array(text[start..<end]), isFirst: start == 0)) }
        }
        while place < text.count {
            guard let added = file.added(at: place, of: text) else {
                place += 1
                continue
            }
            var (first, end) = (place, place + added.scalars.count)
            if added.stripsLeft { while first > start, text[first - 1].properties.isWhitespace { first -= 1 } }
            if added.stripsRight { while end < text.count, text[end].properties.isWhitespace { end += 1 } }
            finish(first)
            parts.append(.token(added.token))
            (start, place) = (end, end)
        }
        finish(text.count)
        return parts
    }

    private func tokens(of word: [Unicode.Scalar]) -> [Int] {
        if file.ignoresMerges, let token = file.vocabulary[word.flatMap { Array($0.utf8) }] {
            return [token]
        }
        var symbols: [Int] = []
        var isUnknown = false
        for scalar in word {
            let bytes = Array(scalar.utf8)
            if let token = file.vocabulary[bytes] {
                symbols.append(token)
                isUnknown = false
                continue
            }
            if let fallback = file.fallback(for: bytes) {
                symbols += fallback
                isUnknown = false
            } else if let unknown = file.unknown, !(isUnknown && file.fusesUnknown) {
                symbols.append(unknown)
                isUnknown = true
            }
        }
        return BytePairMerging.merged(symbols) { left, right in
            merges[Pair(left: left, right: right)].map { (-Double($0.rank), $0.union) }
        }
    }

    /// The text of tokens; special ones, and those outside the vocabulary, are left out.
    public func decode(_ tokens: [Int]) -> String {
        file.decoder.text(of: tokens.compactMap { file.special.contains($0) ? nil : pieces[$0] })
    }
}
