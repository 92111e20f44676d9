/// The byte-pair tokenizer of llama2.c (`tokenizer.bin`: the longest length, then a score, a length and bytes for
/// each token).
public struct LlamaTokenizer: TextTokenizer {
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

    /// The beginning is no neighbour.
    private func merged(_ encoded: [Int]) -> [Int] {
        [encoded[0]]
            + BytePairMerging.merged(Array(encoded.dropFirst())) { left, right in
                guard let union = tokens[pieces[left] + pieces[right]], scores[union] > -.infinity else { return nil }
                return (Double(scores[union]), union)
            }
    }

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
