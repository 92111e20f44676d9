/// Maximum flow by Dinic's algorithm (1970), with real capacities.
///
/// Every augmentation empties an edge exactly, so each phase ends and there are at most as many phases as nodes,
/// whatever the capacities; residues below `negligible` are not chased.
struct MaximumFlow {
    private struct Edge {
        let to: Int32
        var residual: Double
    }

    private var edges: [Edge] = []
    private var outgoing: [[Int32]]
    private let negligible: Double

    init(nodeCount: Int, negligible: Double = 1e-16) {
        outgoing = Array(repeating: [], count: nodeCount)
        self.negligible = negligible
    }

    /// Adds an edge and returns its number, by which `flow(on:)` knows it if nothing can flow backwards.
    @discardableResult
    mutating func addEdge(from: Int, to: Int, capacity: Double, backwards: Double = 0) -> Int {
        outgoing[from].append(Int32(edges.count))
        edges.append(Edge(to: Int32(to), residual: capacity))
        outgoing[to].append(Int32(edges.count))
        edges.append(Edge(to: Int32(from), residual: backwards))
        return edges.count - 2
    }

    /// The flow on an edge: what its reverse may take back.
    func flow(on edge: Int) -> Double { edges[edge + 1].residual }

    /// Sends as much as possible from `source` to `sink`; returns how much.
    @discardableResult
    mutating func maximise(from source: Int, to sink: Int) -> Double {
        var total = 0.0
        while let level = levels(from: source, to: sink) {
            var nextEdge = Array(repeating: 0, count: outgoing.count)
            while true {
                let sent = augment(from: source, to: sink, level: level, nextEdge: &nextEdge)
                if sent <= 0 { break }
                total += sent
            }
        }
        return total
    }

    /// The nodes on the source's side of a least cut, after `maximise`: those that something can still be sent to.
    func sourceSide(from source: Int) -> [Bool] { distances(from: source).map { $0 >= 0 } }

    /// Distances from the source over edges with something left; nil where the sink is out of reach.
    private func levels(from source: Int, to sink: Int) -> [Int32]? {
        let level = distances(from: source)
        return level[sink] < 0 ? nil : level
    }

    /// The same, and -1 for nodes out of reach.
    private func distances(from source: Int) -> [Int32] {
        var level = Array(repeating: Int32(-1), count: outgoing.count)
        level[source] = 0
        var queue = [source]
        var head = 0
        while head < queue.count {
            let node = queue[head]
            head += 1
            for index in outgoing[node] {
                let edge = edges[Int(index)]
                if edge.residual > negligible, level[Int(edge.to)] < 0 {
                    level[Int(edge.to)] = level[node] + 1
                    queue.append(Int(edge.to))
                }
            }
        }
        return level
    }

    /// One augmenting path along rising levels, found without recursion; returns what it carried, 0 if there is none.
    private mutating func augment(from source: Int, to sink: Int, level: [Int32], nextEdge: inout [Int]) -> Double {
        var path: [Int] = []
        var node = source
        while node != sink {
            var advanced = false
            while nextEdge[node] < outgoing[node].count {
                let index = Int(outgoing[node][nextEdge[node]])
                let edge = edges[index]
                if edge.residual > negligible, level[Int(edge.to)] == level[node] + 1 {
                    path.append(index)
                    node = Int(edge.to)
                    advanced = true
                    break
                }
                nextEdge[node] += 1
            }
            if advanced { continue }
            // A dead end: step back and never come here again in this phase.
            guard let last = path.popLast() else { return 0 }
            node = Int(edges[last ^ 1].to)
            nextEdge[node] += 1
        }
        var bottleneck = Double.infinity
        for index in path { bottleneck = min(bottleneck, edges[index].residual) }
        for index in path {
            edges[index].residual -= bottleneck
            edges[index ^ 1].residual += bottleneck
        }
        return bottleneck
    }
}
