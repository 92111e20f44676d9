/// Continuations of a text that share their beginnings: drafts of several paths, to be scored in one call.
///
/// Node 0 is the text itself; every other node is one token more than its parent, which comes before it.
public struct TokenTree: Equatable, Sendable {
    /// Of each node; -1 for node 0.
    public private(set) var parents = [-1]
    /// The last token of each node; -1 for node 0.
    public private(set) var tokens = [-1]
    /// Tokens of each node after the text.
    public private(set) var depths = [0]
    private var children: [Edge: Int] = [:]

    private struct Edge: Hashable {
        let parent, token: Int
    }

    /// The text alone.
    public init() {}

    /// The tree of some paths.
    public init(paths: [[Int]]) {
        for path in paths {
            var node = 0
            for token in path { node = add(token, after: node) }
        }
    }

    /// How many nodes there are, node 0 among them.
    public var count: Int { parents.count }

    /// The node that `token` leads to from `parent`; nil if there is none.
    public func child(of parent: Int, token: Int) -> Int? { children[Edge(parent: parent, token: token)] }

    /// Makes a node, unless it is there.
    /// - Returns: its number.
    @discardableResult
    public mutating func add(_ token: Int, after parent: Int) -> Int {
        precondition(parents.indices.contains(parent), "a node's parent comes before it")
        let edge = Edge(parent: parent, token: token)
        if let node = children[edge] { return node }
        let node = count
        children[edge] = node
        parents.append(parent)
        tokens.append(token)
        depths.append(depths[parent] + 1)
        return node
    }

    /// The tokens of a node after the text.
    public func path(to node: Int) -> [Int] {
        var path: [Int] = []
        var node = node
        while node > 0 {
            path.append(tokens[node])
            node = parents[node]
        }
        return path.reversed()
    }
}
