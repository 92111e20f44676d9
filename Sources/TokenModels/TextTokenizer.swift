/// From text to tokens and back.
public protocol TextTokenizer: Sendable {
    /// V.
    var vocabularySize: Int { get }

    /// The tokens of a text that a model is to continue, with those that begin every text.
    func encode(_ text: String) throws -> [Int]

    /// The text of tokens, without those that stand for no text.
    func decode(_ tokens: [Int]) -> String
}
