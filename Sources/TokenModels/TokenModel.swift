import FiniteAlphabets

/// A language model: from the tokens so far to the law of the next.
public protocol TokenModel {
    /// V.
    var vocabularySize: Int { get }

    /// The law of the token after `context`. Mutating, so that a model may keep what it has computed of the context.
    mutating func nextDistribution(after context: [Int]) throws -> FiniteDistribution
}
