import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The memory and the threads of one call of a network, kept for the next.
///
/// Blocks of memory are handed out and given back in the same order in every call of the same shape, so that after the first
/// call nothing is allocated.
public final class Workspace {
    /// Floats on loan from a workspace, at a cache line's boundary.
    public struct Block {
        let index: Int
        public let pointer: UnsafeMutablePointer<Float>
    }

    let threads: Int
    private let team: OpaquePointer?
    private var blocks: [(pointer: UnsafeMutablePointer<Float>, capacity: Int, inUse: Bool)] = []
    /// Of the rows that the blocks were taken for, and the most of them.
    private var dimensions: [Int] = []
    private var rows = 0
    let requestedThreads: Int
    /// Set while a call is profiled.
    var profile: Profile?

    init(threads: Int) {
        requestedThreads = threads
        let team = ds_team_create(max(1, threads))
        self.team = team
        self.threads = team.map { Int(ds_team_size($0)) } ?? 1
    }

    /// Processors online, at most 16.
    static var processorCount: Int { max(1, min(16, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))) }

    deinit {
        ds_team_destroy(team)
        for block in blocks { free(block.pointer) }
    }

    /// Makes ready for passes of up to `rows` rows of these dimensions: too small blocks are dropped.
    /// - Returns: the number of rows that blocks should have room for, so that smaller passes reuse them.
    func prepare(dimensions: [Int], rows: Int) -> Int {
        if dimensions != self.dimensions || rows > self.rows {
            for block in blocks { free(block.pointer) }
            blocks.removeAll()
            (self.dimensions, self.rows) = (dimensions, rows)
        }
        return self.rows
    }

    /// Takes back all blocks, for a new pass.
    func giveBackAll() {
        for index in blocks.indices { blocks[index].inUse = false }
    }

    /// At least `count` floats, not initialised.
    func take(_ count: Int) -> Block {
        var best: Int?
        for index in blocks.indices where !blocks[index].inUse && blocks[index].capacity >= count {
            if let current = best, blocks[current].capacity <= blocks[index].capacity { continue }
            best = index
        }
        // A block more than four times too large is kept for someone who needs it.
        if let index = best, blocks[index].capacity <= max(4 * count, 16_384) {
            blocks[index].inUse = true
            return Block(index: index, pointer: blocks[index].pointer)
        }
        blocks.append((alignedFloats(count), count, true))
        return Block(index: blocks.count - 1, pointer: blocks[blocks.count - 1].pointer)
    }

    func giveBack(_ block: Block) { blocks[block.index].inUse = false }

    /// Calls `body(unit, thread)` once for every unit, on all threads, and returns when all are done.
    func parallel(_ units: Int, _ body: (_ unit: Int, _ thread: Int) -> Void) {
        guard let team, threads > 1, units > 1 else {
            for unit in 0..<max(0, units) { body(unit, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            var box = ParallelBody(body: body)
            withUnsafeMutablePointer(to: &box) { pointer in
                ds_team_run(
                    team, units,
                    { context, unit, thread in
                        context?.assumingMemoryBound(to: ParallelBody.self).pointee.body(unit, thread)
                    }, pointer)
            }
        }
    }
}

private struct ParallelBody {
    let body: (Int, Int) -> Void
}
