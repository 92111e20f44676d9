/// The bytes that occur in a text, as tokens.
public struct ByteVocabulary: Equatable, Sendable {
    /// The byte of each token, ascending.
    public let bytes: [UInt8]
    private let tokens: [Int?]

    public init(of text: [UInt8]) {
        var occurs = Array(repeating: false, count: 256)
        for byte in text { occurs[Int(byte)] = true }
        bytes = (0..<256).filter { occurs[$0] }.map { UInt8($0) }
        var tokens = [Int?](repeating: nil, count: 256)
        for (token, byte) in bytes.enumerated() { tokens[Int(byte)] = token }
        self.tokens = tokens
    }

    public var count: Int { bytes.count }

    /// - Throws: `TokenModelError.outsideVocabulary` at the first byte the text did not have.
    public func encode(_ text: [UInt8]) throws(TokenModelError) -> [Int] {
        var encoded: [Int] = []
        encoded.reserveCapacity(text.count)
        for (position, byte) in text.enumerated() {
            guard let token = tokens[Int(byte)] else {
                throw .outsideVocabulary(what: "byte \(byte)", position: position)
            }
            encoded.append(token)
        }
        return encoded
    }

    /// The text of tokens; those outside the vocabulary are left out.
    public func decode(_ tokens: [Int]) -> String {
        String(decoding: tokens.filter(bytes.indices.contains).map { bytes[$0] }, as: UTF8.self)
    }
}
