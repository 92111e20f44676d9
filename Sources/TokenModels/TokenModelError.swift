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

extension TokenModelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .malformed(let file, let expected, let found): "\(file): expected \(expected), found \(found)"
        case .emptyText(let file): "\(file): the text is empty; a model needs at least one token to learn from"
        case .outsideVocabulary(let what, let position): "\(what) at position \(position) is not in the vocabulary"
        case .contextTooLong(let length, let limit):
            "a context of \(length) tokens is longer than the \(limit) the model was made for; ask for fewer tokens"
        case .parameterOutOfRange(let name, let value, let expected):
            "\(name) is \(Int(exactly: value).map(String.init) ?? "\(value)"); expected \(expected)"
        case .vocabulariesDiffer(let target, let draft):
            "the target has \(target) tokens and the draft \(draft); they must share one vocabulary"
        }
    }
}
