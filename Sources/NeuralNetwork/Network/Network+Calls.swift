extension Network {
    /// The network's output for a batch of rows: `[rows]` and then ``outputDimensions(_:)``.
    /// - Parameters:
    ///   - input: the rows, and what conditions them.
    ///   - threads: threads to use, the caller's among them; at most 256.
    /// - Throws: ``NetworkInputError`` if a part of the input has the wrong size or is out of range.
    public func callAsFunction(_ input: Input, threads: Int) throws(NetworkInputError) -> [Float] {
        try check(input)
        guard input.rows > 0 else { return [] }
        let workspace = resources.workspaces.take(threads: clamped(threads))
        defer { resources.workspaces.giveBack(workspace) }
        return run(input, workspace)
    }

    /// Where the time of a call with this input goes. The call is made twice, and the second one is measured.
    /// - Throws: ``NetworkInputError`` as the call does.
    public func profile(_ input: Input, threads: Int) throws(NetworkInputError) -> [LayerTime] {
        try check(input)
        guard input.rows > 0 else { return [] }
        let workspace = Workspace(threads: clamped(threads))
        _ = run(input, workspace)
        let profile = Profile()
        workspace.profile = profile
        _ = run(input, workspace)
        return profile.layers
    }

    private func clamped(_ threads: Int) -> Int { max(1, min(threads, 256)) }

    private func check(_ input: Input) throws(NetworkInputError) {
        try check(input.shape)
        try NetworkInputError.check(
            input.sample.count, "sample has", rows: input.rows, dimensions: inputDimensions(input.shape))
        try check(input.conditioning, rows: input.rows)
    }

    /// All rows of a sound input, of which there is at least one, in as few passes as may be, each about as large.
    private func run(_ input: Input, _ workspace: Workspace) -> [Float] {
        let dimensions = inputDimensions(input.shape)
        let inSize = dimensions.reduce(1, *)
        let outSize = outputDimensions(input.shape).reduce(1, *)
        let most = max(1, rowsPerPass(input.shape))
        let passes = (input.rows - 1) / most + 1
        let capacity = workspace.prepare(dimensions: dimensions, rows: (input.rows - 1) / passes + 1)
        return Array(unsafeUninitializedCapacity: input.rows * outSize) { output, initialized in
            guard let outBase = output.baseAddress else { return }
            outBase.initialize(repeating: 0, count: input.rows * outSize)
            initialized = input.rows * outSize
            input.sample.withUnsafeBufferPointer { sample in
                guard let inBase = sample.baseAddress else { return }
                for index in 0..<passes {
                    let rows = index * input.rows / passes..<(index + 1) * input.rows / passes
                    workspace.giveBackAll()
                    forward(
                        inBase + rows.lowerBound * inSize, input.shape, input.conditioning,
                        into: outBase + rows.lowerBound * outSize,
                        Pass(workspace: workspace, rows: rows, capacity: capacity))
                }
            }
        }
    }
}
