import CKernels

extension ConditionalUnet1D {
    /// The network's output for a batch of rows.
    ///
    /// - Parameters:
    ///   - sample: `[batch, positions, inputDimension]`.
    ///   - batch: number of rows, any from 0.
    ///   - positions: divisible by 2^halvings: it is halved so often, and must double back.
    ///   - timesteps: `[batch]`, the diffusion steps as the network was trained with them.
    ///   - condition: `[batch, conditionDimension]`.
    ///   - threads: threads to use, the caller's among them.
    /// - Returns: `[batch, positions, inputDimension]`.
    /// - Throws: ``NetworkInputError`` if an argument has the wrong size.
    public func callAsFunction(
        sample: [Float], batch: Int, positions: Int, timesteps: [Float], condition: [Float] = [], threads: Int
    ) throws(NetworkInputError) -> [Float] {
        try check(
            sample: sample.count, batch: batch, positions: positions, timesteps: timesteps.count,
            condition: condition.count)
        guard batch > 0 else { return [] }
        let workspace = workspaces.take(threads: max(1, min(threads, 256)))
        defer { workspaces.giveBack(workspace) }
        return run(sample, batch, positions, timesteps, condition, workspace)
    }

    /// Where the time of a call with these arguments goes. The call is made twice, and the second one is measured.
    /// - Throws: ``NetworkInputError`` as the call does.
    public func profile(
        sample: [Float], batch: Int, positions: Int, timesteps: [Float], condition: [Float] = [], threads: Int
    ) throws(NetworkInputError) -> [LayerTime] {
        try check(
            sample: sample.count, batch: batch, positions: positions, timesteps: timesteps.count,
            condition: condition.count)
        guard batch > 0 else { return [] }
        let workspace = Workspace(threads: max(1, min(threads, 256)))
        _ = run(sample, batch, positions, timesteps, condition, workspace)
        let profile = Profile()
        workspace.profile = profile
        _ = run(sample, batch, positions, timesteps, condition, workspace)
        return profile.layers
    }

    /// Rows taken through the network together: many, to share the weights that are read for them, but few enough to bound
    /// the memory.
    private static let largestChunk = 64

    private func run(
        _ sample: [Float], _ batch: Int, _ positions: Int, _ timesteps: [Float], _ condition: [Float],
        _ workspace: Workspace
    ) -> [Float] {
        let size = positions * configuration.inputDimension
        let chunks = (batch + Self.largestChunk - 1) / Self.largestChunk
        return Array(unsafeUninitializedCapacity: batch * size) { output, initialized in
            guard let outBase = output.baseAddress else { return }
            outBase.initialize(repeating: 0, count: batch * size)
            initialized = batch * size
            sample.withUnsafeBufferPointer { sample in
                guard let inBase = sample.baseAddress else { return }
                for chunk in 0..<chunks {
                    let rows = chunk * batch / chunks..<(chunk + 1) * batch / chunks
                    let capacity = workspace.prepare(height: positions, width: 1, rows: rows.count)
                    let pass = Pass(network: self, workspace: workspace, batch: rows.count, capacity: capacity)
                    let dimension = configuration.conditionDimension
                    pass.run(
                        sample: inBase + rows.lowerBound * size, positions: positions, timesteps: timesteps[rows],
                        condition: condition[rows.lowerBound * dimension..<rows.upperBound * dimension],
                        output: outBase + rows.lowerBound * size)
                }
            }
        }
    }

    private func check(
        sample: Int, batch: Int, positions: Int, timesteps: Int, condition: Int
    ) throws(NetworkInputError) {
        let unit = 1 << configuration.halvings
        guard (1...65_536).contains(positions), positions % unit == 0 else {
            throw NetworkInputError(
                "sequences of \(positions) positions: this network halves them \(configuration.halvings) times, so their number must be a multiple of \(unit) (at most 65536)"
            )
        }
        let (size, overflow) = max(0, batch).multipliedReportingOverflow(by: positions * configuration.inputDimension)
        guard batch >= 0, !overflow, sample == size else {
            throw NetworkInputError(
                "sample has \(sample) elements; expected [\(batch), \(positions), \(configuration.inputDimension)]")
        }
        guard timesteps == batch else { throw NetworkInputError("\(timesteps) timesteps for \(batch) rows") }
        let (wanted, tooMany) = batch.multipliedReportingOverflow(by: configuration.conditionDimension)
        guard !tooMany, condition == wanted else {
            throw NetworkInputError(
                "the condition has \(condition) elements; expected [\(batch), \(configuration.conditionDimension)]")
        }
    }
}

/// One pass of some rows through the network.
private struct Pass {
    let network: ConditionalUnet1D
    let workspace: Workspace
    let batch: Int
    let capacity: Int

    func run(
        sample: UnsafePointer<Float>, positions: Int, timesteps: ArraySlice<Float>, condition: ArraySlice<Float>,
        output: UnsafeMutablePointer<Float>
    ) {
        let projection = network.featureProjection.matrix
        let features = TimeProjection.Values(
            block: workspace.take(capacity * projection.columns), stride: projection.columns)
        workspace.timed("step and condition", operations: Double(batch) * network.featureOperations) {
            embed(timesteps, condition, into: features)
        }
        let channels = network.configuration.downChannels

        // What the way up reads at each level but the first: what comes from below, then what the way down leaves.
        let joined = channels.indices.map { level in
            level == 0 ? nil : workspace.take(capacity * (positions >> level) * joinedStride(channels[level]))
        }
        /// Half `index` of that, or a place of its own at the first level.
        func place(_ level: Int, half index: Int) -> (Sequences, Workspace.Block?) {
            guard let block = joined[level] else { return sequences(channels[level], positions >> level) }
            let width = paddedChannels(channels[level])
            let half = Sequences(
                block, batch: batch, positions: positions >> level, channels: channels[level],
                stride: joinedStride(channels[level]), firstColumn: index * width)
            return (half, nil)
        }

        // 1. Input.
        let dimension = network.configuration.inputDimension
        let inputBlock = workspace.take(capacity * positions * Sequences.stride(columns: paddedChannels(dimension)))
        let input = Sequences(inputBlock, batch: batch, positions: positions, channels: dimension)
        for position in 0..<positions {
            for row in 0..<batch {
                (input.pointer + (position * batch + row) * input.stride).update(
                    from: sample + (row * positions + position) * dimension, count: dimension)
            }
        }
        var x = input
        var owned: Workspace.Block? = inputBlock
        func replace(_ next: (Sequences, Workspace.Block?)) {
            if let owned { workspace.giveBack(owned) }
            (x, owned) = next
        }

        // 2. Down.
        for (level, down) in network.downLevels.enumerated() {
            let first = sequences(channels[level], x.positions)
            down.first(x, into: first.0, features: features, capacity: capacity, workspace)
            replace(first)
            let second = place(level, half: 1)
            down.second(x, into: second.0, features: features, capacity: capacity, workspace)
            replace(second)
            if let halving = down.halving {
                let smaller = sequences(channels[level], x.positions / 2)
                resample(halving, x, into: smaller.0)
                replace(smaller)
            }
        }

        // 3. Middle.
        let lowest = channels.count - 1
        for (index, block) in network.middle.enumerated() {
            let isLast = index == network.middle.count - 1
            let result = isLast ? place(lowest, half: 0) : sequences(channels[lowest], x.positions)
            block(x, into: result.0, features: features, capacity: capacity, workspace)
            replace(result)
        }

        // 4. Up.
        for (index, up) in network.upLevels.enumerated() {
            let level = lowest - index
            guard let block = joined[level] else { break }
            let both = Sequences(
                block, batch: batch, positions: x.positions, channels: 2 * channels[level],
                stride: joinedStride(channels[level]))
            let first = sequences(channels[level - 1], x.positions)
            up.first(both, into: first.0, features: features, capacity: capacity, workspace)
            workspace.giveBack(block)
            replace(first)
            let second = sequences(channels[level - 1], x.positions)
            up.second(x, into: second.0, features: features, capacity: capacity, workspace)
            replace(second)
            let larger = place(level - 1, half: 0)
            resample(up.doubling, x, into: larger.0)
            replace(larger)
        }

        // 5. Output.
        let last = sequences(channels[0], positions)
        network.finalBlock(x, into: last.0, workspace)
        replace(last)
        let result = sequences(dimension, positions)
        network.finalConvolution(x, into: result.0, workspace)
        replace(result)
        for row in 0..<batch {
            for position in 0..<positions {
                (output + (row * positions + position) * dimension).update(
                    from: x.pointer + (position * batch + row) * x.stride, count: dimension)
            }
        }
    }

    private func joinedStride(_ channels: Int) -> Int { Sequences.stride(columns: 2 * paddedChannels(channels)) }

    private func sequences(_ channels: Int, _ positions: Int) -> (Sequences, Workspace.Block?) {
        let block = workspace.take(capacity * positions * Sequences.stride(columns: paddedChannels(channels)))
        return (Sequences(block, batch: batch, positions: positions, channels: channels), block)
    }

    private func resample(_ convolution: SequenceConvolution, _ x: Sequences, into output: Sequences) {
        workspace.timed(
            "convolution \(x.channels)→\(output.channels), \(x.positions) to \(output.positions) positions",
            operations: Double(batch) * convolution.operations(x.positions)
        ) {
            convolution(x, into: output, workspace)
        }
    }

    /// Gains and offsets of all residual blocks: of Mish of the embedded step and the condition, side by side.
    private func embed(
        _ timesteps: ArraySlice<Float>, _ condition: ArraySlice<Float>, into values: TimeProjection.Values
    ) {
        let configuration = network.configuration
        let embedding = configuration.stepEmbeddingChannels
        let (waveStride, stride) = (paddedChannels(embedding), paddedChannels(configuration.featureDimension))
        let waves = workspace.take(capacity * waveStride)
        let embedded = workspace.take(capacity * waveStride)
        let features = workspace.take(capacity * stride)
        for (row, timestep) in timesteps.enumerated() {
            network.sinusoid(timestep, into: waves.pointer + row * waveStride)
        }
        network.stepEncoder(waves.pointer, count: batch, into: embedded.pointer, workspace)
        let dimension = configuration.conditionDimension
        condition.withUnsafeBufferPointer { condition in
            for row in 0..<batch {
                let place = features.pointer + row * stride
                place.update(from: embedded.pointer + row * waveStride, count: embedding)
                if let base = condition.baseAddress {
                    (place + embedding).update(from: base + row * dimension, count: dimension)
                }
                (place + embedding + dimension).update(repeating: 0, count: stride - embedding - dimension)
            }
        }
        ds_activate(features.pointer, batch * stride, Activation.mish.code, features.pointer)
        let projection = network.featureProjection
        projection.matrix.multiply(
            features.pointer, stride: stride, count: batch, bias: projection.bias.pointer, into: values.block.pointer,
            outStride: values.stride, workspace)
        for block in [waves, embedded, features] { workspace.giveBack(block) }
    }
}
