/// One pass of some rows of a call through a network, which all its layers take: which rows they are, the memory that they
/// use on the way, and the threads that work on them.
public struct Pass {
    let workspace: Workspace
    /// The rows of the pass among those of the call; never empty.
    public let rows: Range<Int>
    /// Rows that memory is taken for: not fewer than there are, so that smaller passes use the blocks of larger ones.
    let capacity: Int

    /// The number of rows.
    public var count: Int { rows.count }

    /// The threads that ``parallel(_:_:)`` shares the work out among.
    public var threads: Int { workspace.threads }

    /// Memory for so many floats a row, not initialised. It is given back by ``giveBack(_:)``, or else at the end of the pass.
    public func take(perRow floats: Int) -> Workspace.Block { workspace.take(capacity * floats) }

    /// Memory for so many floats a thread, not initialised.
    public func take(perThread floats: Int) -> Workspace.Block { workspace.take(threads * floats) }

    /// Memory for so many floats, whatever the rows, not initialised.
    public func take(floats: Int) -> Workspace.Block { workspace.take(floats) }

    public func giveBack(_ block: Workspace.Block) { workspace.giveBack(block) }

    /// Calls `body(unit, thread)` once for every unit, on all threads, and returns when all are done.
    public func parallel(_ units: Int, _ body: (_ unit: Int, _ thread: Int) -> Void) {
        workspace.parallel(units, body)
    }

    /// Runs `body`, timing it under `layer` if the call is profiled.
    /// - Parameters:
    ///   - layer: its name in the profile.
    ///   - operations: floating-point operations of all rows, 0 where that means nothing.
    ///   - body: the layer's work.
    public func timed<Result>(
        _ layer: @autoclosure () -> String, operations: @autoclosure () -> Double = 0, _ body: () -> Result
    ) -> Result {
        guard let profile = workspace.profile else { return body() }
        return profile.measure(layer(), operations: operations(), body)
    }
}

extension Pass {
    func giveBack(_ images: Images) { giveBack(images.block) }

    /// Gives back the memory of sequences that have their own.
    func giveBack(_ sequences: Sequences) {
        if let block = sequences.block { giveBack(block) }
    }
}
