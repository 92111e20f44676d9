/// The byte-pair tokenizer of llama2.c (`tokenizer.bin`: the longest length, then a score, a length and bytes for
/// each token).
public struct LlamaTokenizer: Sendable {
    /// The token that begins a text, and that a model writes to end it.
    public static let beginning = 1
    private let pieces: [[UInt8]]
    private let scores: [Float]
    private let tokens: [[UInt8]: Int]

    /// - Parameters:
    ///   - path: of `tokenizer.bin`.
    ///   - vocabularySize: the checkpoint's; the file must have as many tokens, or it belongs to another.
    /// - Throws: `TokenModelError` naming the file and the token at fault.
    public init(path: String, vocabularySize: Int) throws(TokenModelError) {
        var reader = BinaryReader(try readFile(path), file: path)
        _ = try reader.integer()
        var pieces: [[UInt8]] = []
        var scores: [Float] = []
        var tokens: [[UInt8]: Int] = [:]
        while !reader.isAtEnd {
            let token = pieces.count
            scores.append(try reader.float())
            let length = try reader.integer()
            guard length >= 0 else {
                throw .malformed(file: path, expected: "a length for token \(token)", found: "\(length)")
            }
            let piece = Array(try reader.take(Int(length)))
            pieces.append(piece)
            if tokens[piece] == nil { tokens[piece] = token }
        }
        guard pieces.count == vocabularySize else {
            throw .malformed(
                file: path, expected: "\(vocabularySize) tokens, as the checkpoint has", found: "\(pieces.count)")
        }
        self.pieces = pieces
        self.scores = scores
        self.tokens = tokens
    }

    public var vocabularySize: Int { pieces.count }

    /// The tokens of a text, the beginning first.
    /// - Throws: `TokenModelError.outsideVocabulary` for a byte that is neither a token nor has a fallback.
    public func encode(_ text: String) throws(TokenModelError) -> [Int] {
        var encoded = [LlamaTokenizer.beginning]
        // SentencePiece puts a space before the text.
        if !text.isEmpty, let space = tokens[Array(" ".utf8)] { encoded.append(space) }
        for (position, scalar) in text.unicodeScalars.enumerated() {
            let bytes = Array(String(scalar).utf8)
            if let token = tokens[bytes] {
                encoded.append(token)
                continue
            }
            for byte in bytes {
                // The first three tokens are special; the 256 bytes follow.
                let token = Int(byte) + 3
                guard token < pieces.count else {
                    throw .outsideVocabulary(what: "byte \(byte)", position: position)
                }
                encoded.append(token)
            }
        }
        return merged(encoded)
    }

    /// Merges the neighbours whose union scores best, the leftmost of equals, until no union is a token. The beginning is
    /// no neighbour.
    /// - Complexity: O(n log n).
    private func merged(_ encoded: [Int]) -> [Int] {
        // The tokens that are left, as a list: a union takes its left part's place.
        var current = encoded
        var (next, previous) = (Array(1..<encoded.count + 1), Array(-1..<encoded.count - 1))
        var merges = MergeQueue()
        func propose(_ place: Int) {
            guard place >= 1, next[place] < current.count else { return }
            let parts = (current[place], current[next[place]])
            guard let union = tokens[pieces[parts.0] + pieces[parts.1]], scores[union] > -.infinity else { return }
            merges.insert(.init(score: scores[union], place: place, parts: parts, union: union))
        }
        for place in encoded.indices { propose(place) }
        while let merge = merges.popBest() {
            let (place, right) = (merge.place, next[merge.place])
            // Either part may have become part of another union since.
            guard right < current.count, (current[place], current[right]) == merge.parts else { continue }
            current[place] = merge.union
            current[right] = Self.gone
            next[place] = next[right]
            if next[place] < current.count { previous[next[place]] = place }
            propose(previous[place])
            propose(place)
        }
        return current.filter { $0 != Self.gone }
    }

    private static let gone = -1

    /// The text of tokens. The space that begins a text is dropped, and `<0xAB>` is its byte.
    public func decode(_ tokens: [Int]) -> String {
        var bytes: [UInt8] = []
        var previous = -1
        for token in tokens where pieces.indices.contains(token) {
            if token == LlamaTokenizer.beginning {
                previous = token
                continue
            }
            var piece = pieces[token]
            if previous == LlamaTokenizer.beginning, piece.first == UInt8(ascii: " ") { piece.removeFirst() }
            if piece.count == 6, piece.starts(with: Array("<0x".utf8)),
                let byte = UInt8(String(decoding: piece[3..<5], as: UTF8.self), radix: 16)
            {
                piece = [byte]
            }
            bytes += piece
            previous = token
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Possible unions of neighbours, the best first: a binary heap.
private struct MergeQueue {
    struct Merge {
        let score: Float
        let place: Int
        let parts: (Int, Int)
        let union: Int

        func isBetter(than other: Merge) -> Bool { score != other.score ? score > other.score : place < other.place }
    }

    private var heap: [Merge] = []

    mutating func insert(_ merge: Merge) {
        heap.append(merge)
        var child = heap.count - 1
        while child > 0, heap[child].isBetter(than: heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popBest() -> Merge? {
        guard let best = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return best }
        heap[0] = last
        var parent = 0
        while 2 * parent + 1 < heap.count {
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            let child = right < heap.count && heap[right].isBetter(than: heap[left]) ? right : left
            guard heap[child].isBetter(than: heap[parent]) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return best
    }
}
