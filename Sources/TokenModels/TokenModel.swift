import FiniteAlphabets
import Platform

/// A language model: from the tokens so far to the law of the next.
public protocol TokenModel {
    /// V.
    var vocabularySize: Int { get }

    /// The longest context; nil for any.
    var contextLength: Int? { get }

    /// The laws of the token after `context` and nodes of a tree of its continuations, all in one call. They do not depend on what else
    /// is in the tree or was asked before. Mutating, so that a model may keep what it has computed of context and tree.
    /// - Parameters:
    ///   - context: the tokens so far.
    ///   - tree: its continuations.
    ///   - nodes: which of them a law is wanted after; node 0 is the context itself.
    ///   - truncation: what is made of the model's scores before they are a law.
    /// - Returns: a law for each of `nodes`.
    mutating func laws(
        after context: [Int], tree: TokenTree, nodes: Range<Int>, truncation: LogitsTruncation
    ) throws -> [SparseLaw]
}

extension TokenModel {
    public var contextLength: Int? { nil }

    /// The law of the token after `context`.
    public mutating func law(
        after context: [Int], truncation: LogitsTruncation = LogitsTruncation()
    ) throws -> SparseLaw {
        try laws(after: context, tree: TokenTree(), nodes: 0..<1, truncation: truncation)[0]
    }
}

/// A language model that computes each law by itself, and as probabilities.
public protocol DistributionModel: TokenModel {
    /// The law of the token after `context`.
    mutating func nextDistribution(after context: [Int]) throws -> FiniteDistribution
}

extension DistributionModel {
    public mutating func laws(
        after context: [Int], tree: TokenTree, nodes: Range<Int>, truncation: LogitsTruncation
    ) throws -> [SparseLaw] {
        try nodes.map { node in
            let law = try nextDistribution(after: context + tree.path(to: node))
            if truncation == LogitsTruncation() { return SparseLaw(law) }
            return try truncation.law(ofLogits: law.probabilities.map { Float(log($0)) }, name: "next-token law")
        }
    }
}
