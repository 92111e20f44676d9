import Models

/// Texts as the tokens that a text encoder reads.
public struct Tokenization: RunResult {
    public struct Entry: Encodable, Sendable {
        public let text: String
        public let ids: [Int]
    }

    public let entries: [Entry]

    /// - Parameters:
    ///   - folder: of a tokenizer in transformers' layout.
    ///   - texts: any, also empty ones.
    /// - Throws: `ModelError` naming the file and what is wrong with it.
    public init(folder: String, texts: [String]) throws {
        let tokenizer = try CLIPTokenizer(folder: folder)
        entries = texts.map { Entry(text: $0, ids: tokenizer.encode($0)) }
    }

    public func encode(to encoder: any Encoder) throws { try entries.encode(to: encoder) }

    public var text: String {
        entries.map { $0.ids.map(String.init).joined(separator: " ") }.joined(separator: "\n")
    }
}
