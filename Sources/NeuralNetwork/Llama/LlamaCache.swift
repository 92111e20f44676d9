import CKernels

/// The keys and values of a text's tokens, and of those of a tree of its continuations, kept for the next call.
///
/// A token's place is its slot: those of the text one after the other, then the tree's in its order.
package struct LlamaCache: Sendable {
    /// What a slot holds: a token, and the slot of the one before it; -1 for a text's first.
    struct Entry: Equatable, Sendable {
        let parent: Int
        let token: Int
    }

    private(set) var entries: [Entry] = []
    /// Of each layer: [block of slots][key head][channel][slot of the block], and [slot][key head][channel].
    var keys: [[Float]]
    var values: [[Float]]
    /// Floats of a slot, keys and values alike.
    let slotWidth: Int
    let headWidth: Int

    static let block = Int(DS_CHANNEL_STEP)

    package init(_ configuration: LlamaConfiguration) {
        headWidth = configuration.paddedHeadWidth
        slotWidth = configuration.keyHeadCount * headWidth
        keys = Array(repeating: [], count: configuration.layerCount)
        values = keys
    }

    /// Makes slots for `wanted`, with what is known of them.
    ///
    /// What moves moves towards the beginning and keeps its order, so that nothing is written over before it has moved; what would have
    /// to move otherwise is left to be computed again.
    /// - Parameters:
    ///   - wanted: each entry after the one before it.
    ///   - fresh: slots to be computed again in any case.
    /// - Returns: the slots whose keys and values are not known, ascending.
    mutating func arrange(_ wanted: [Entry], fresh: Range<Int>) -> [Int] {
        var former = [Int](repeating: -1, count: wanted.count)
        var unknown: [Int] = []
        var last = -1
        for (slot, entry) in wanted.enumerated() {
            let parent = entry.parent < 0 ? -1 : former[entry.parent]
            let isKnown = entry.parent < 0 || parent >= 0
            let sought = Entry(parent: parent, token: entry.token)
            let start = max(slot, last + 1)
            if !fresh.contains(slot), isKnown, start < entries.count,
                let found = entries[start...].firstIndex(of: sought)
            {
                (former[slot], last) = (found, found)
                if found != slot { move(found, to: slot) }
            } else {
                unknown.append(slot)
            }
        }
        entries = wanted
        let size = (wanted.count + Self.block - 1) / Self.block * Self.block * slotWidth
        for layer in keys.indices where keys[layer].count < size {
            keys[layer] += repeatElement(0, count: size - keys[layer].count)
            values[layer] += repeatElement(0, count: size - values[layer].count)
        }
        return unknown
    }

    private mutating func move(_ old: Int, to new: Int) {
        for layer in keys.indices {
            let (from, to) = (keyPlace(old), keyPlace(new))
            for channel in 0..<slotWidth {
                keys[layer][to + channel * Self.block] = keys[layer][from + channel * Self.block]
            }
            for channel in 0..<slotWidth {
                values[layer][new * slotWidth + channel] = values[layer][old * slotWidth + channel]
            }
        }
    }

    /// Where a slot's first key is; the next ones are a block apart.
    func keyPlace(_ slot: Int) -> Int { slot / Self.block * Self.block * slotWidth + slot % Self.block }
}
