import Couplings
import FiniteAlphabets

/// How many tokens are drafted after each node of a tree of drafts, and how.
public struct DraftTreeShape: Equatable, Sendable {
    /// How the tokens after a node are drawn from its law.
    public let scheme: DraftScheme
    /// How many after the text, after a token that follows it, and so on; one beyond its end. Nil for paths.
    public let branching: [Int]?
    /// n
    public let pathCount: Int

    /// n paths. Independent ones may begin alike, and part where their draws differ; of the other schemes they part at their first
    /// tokens, each of which one path follows.
    public static func paths(_ count: Int, scheme: DraftScheme = .independent) -> DraftTreeShape {
        DraftTreeShape(scheme: scheme, branching: scheme == .independent ? nil : [count], pathCount: count)
    }

    /// A tree with so many draws after each node of each depth.
    /// - Throws: `TokenModelError.parameterOutOfRange`.
    public static func tree(branching: [Int], scheme: DraftScheme) throws(TokenModelError) -> DraftTreeShape {
        try lengths.checkForModel(Double(branching.count))
        for count in branching { try MultiDraftProblem.draftCounts.checkForModel(Double(count)) }
        // The last level has as many nodes as the product says, of which each is a row of the target's call.
        try nodeCounts.checkForModel(branching.reduce(1) { $0 * Double($1) })
        return DraftTreeShape(scheme: scheme, branching: branching, pathCount: branching[0])
    }

    /// Of the list of draws.
    public static let lengths = ParameterRange("the depth of the branching", from: 1, to: 64)
    /// Of all draws of a level together.
    public static let nodeCounts = ParameterRange("the product of the branching", from: 1, to: 4096)

    /// How many tokens are drafted after a node.
    /// - Parameters:
    ///   - depth: of the node; the text has 0.
    ///   - repeats: how often the node itself was drafted.
    func draws(depth: Int, repeats: Int) -> Int {
        guard let branching else { return depth == 0 ? pathCount : repeats }
        return depth < branching.count ? branching[depth] : 1
    }
}

extension SparseLaw {
    /// Draws tokens by a scheme: with other than independent draws at most as many as the law has.
    func drafts(_ count: Int, scheme: DraftScheme, randomness: inout RandomStream) throws -> [Int] {
        if scheme == .independent || count == 1 { return (0..<count).map { _ in sample(randomness: &randomness) } }
        let law = try FiniteDistribution(probabilities)
        return try MultiDraftProblem(target: law, draft: law, count: count, scheme: scheme)
            .drawDrafts(randomness: &randomness).map { tokens[$0] }
    }
}
