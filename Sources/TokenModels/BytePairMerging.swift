/// Byte-pair encoding's merges (Sennrich et al. 2016).
enum BytePairMerging {
    /// Merges the neighbours whose union scores best, the leftmost of equals, until no neighbours have a union.
    /// - Parameters:
    ///   - symbols: not negative.
    ///   - union: of two neighbours, with its score; nil where they have none.
    /// - Complexity: O(n log n).
    static func merged(_ symbols: [Int], union: (Int, Int) -> (score: Double, symbol: Int)?) -> [Int] {
        // The symbols that are left, as a list: a union takes its left part's place.
        var current = symbols
        var (next, previous) = (Array(1..<symbols.count + 1), Array(-1..<symbols.count - 1))
        var merges = MergeQueue()
        func propose(_ place: Int) {
            guard place >= 0, next[place] < current.count else { return }
            let parts = (current[place], current[next[place]])
            guard let (score, symbol) = union(parts.0, parts.1) else { return }
            merges.insert(.init(score: score, place: place, parts: parts, union: symbol))
        }
        for place in symbols.indices { propose(place) }
        while let merge = merges.popBest() {
            let (place, right) = (merge.place, next[merge.place])
            // Either part may have become part of another union since.
            guard right < current.count, (current[place], current[right]) == merge.parts else { continue }
            current[place] = merge.union
            current[right] = gone
            next[place] = next[right]
            if next[place] < current.count { previous[next[place]] = place }
            propose(previous[place])
            propose(place)
        }
        return current.filter { $0 != gone }
    }

    private static let gone = -1
}

/// Possible unions of neighbours, the best first: a binary heap.
private struct MergeQueue {
    struct Merge {
        let score: Double
        let place: Int
        let parts: (Int, Int)
        let union: Int

        func isBetter(than other: Merge) -> Bool { score != other.score ? score > other.score : place < other.place }
    }

    private var heap: [Merge] = []

    mutating func insert(_ merge: Merge) {
        heap.append(merge)
        var child = heap.count - 1
        while child > 0, heap[child].isBetter(than: heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popBest() -> Merge? {
        guard let best = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return best }
        heap[0] = last
        var parent = 0
        while 2 * parent + 1 < heap.count {
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            let child = right < heap.count && heap[right].isBetter(than: heap[left]) ? right : left
            guard heap[child].isBetter(than: heap[parent]) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return best
    }
}
