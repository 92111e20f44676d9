import FiniteAlphabets

/// What can be wrong with a text, a checkpoint or a tokenizer.
public enum TokenModelError: Error, Equatable, Sendable {
    /// A file that cannot be read.
    case unreadable(file: String, reason: String)
    /// A file that is not what it should be: what was expected and what was found.
    case malformed(file: String, expected: String, found: String)
    /// A text without tokens to learn from.
    case emptyText(file: String)
    /// A character or token that the vocabulary does not have.
    case outsideVocabulary(what: String, position: Int)
    /// More tokens than the model was made for.
    case contextTooLong(length: Int, limit: Int)
    /// A parameter outside its range.
    case parameterOutOfRange(name: String, value: Double, expected: String)
    /// Two models that must share one vocabulary do not.
    case vocabulariesDiffer(target: Int, draft: Int)
}

extension ParameterRange {
    /// - Throws: `TokenModelError.parameterOutOfRange`.
    func checkForModel(_ value: Double) throws(TokenModelError) {
        guard contains(value) else { throw .parameterOutOfRange(name: name, value: value, expected: expected) }
    }
}

extension TokenModelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .malformed(let file, let expected, let found): "\(file): expected \(expected), found \(found)"
        case .emptyText(let file): "\(file): expected at least one token to learn from, found an empty text"
        case .outsideVocabulary(let what, let position): "\(what) at position \(position) is not in the vocabulary"
        case .contextTooLong(let length, let limit):
            "the context: expected at most the \(limit) tokens that the model was made for, found \(length); ask for fewer"
        case .parameterOutOfRange(let name, let value, let expected):
            "\(name) must be \(expected), found \(Int(exactly: value).map(String.init) ?? "\(value)")"
        case .vocabulariesDiffer(let target, let draft):
            "the draft: expected the target's vocabulary of \(target) tokens, found \(draft)"
        }
    }
}
