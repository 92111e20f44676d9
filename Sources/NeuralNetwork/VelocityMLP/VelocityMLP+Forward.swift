import CKernels

extension VelocityMLP {
    /// Rows taken through the network together, to bound the memory.
    private static let chunk = 256

    /// The network's output for a batch of rows.
    ///
    /// - Parameters:
    ///   - sample: `[batch, dimension]`.
    ///   - batch: number of rows, any from 0.
    ///   - timesteps: `[batch]`, the network's own time input.
    ///   - classLabels: `[batch]`, each from 0 ..< `num_class_embeds`.
    ///   - threads: threads to use, the caller's among them.
    /// - Returns: `[batch, dimension]`.
    /// - Throws: ``NetworkInputError`` if an argument has the wrong size or a label is out of range.
    public func callAsFunction(
        sample: [Float], batch: Int, timesteps: [Float], classLabels: [Int], threads: Int
    ) throws(NetworkInputError) -> [Float] {
        let (dimension, labelCount) = (configuration.dimension, configuration.labelCount)
        let (size, overflow) = max(0, batch).multipliedReportingOverflow(by: dimension)
        guard batch >= 0, !overflow, sample.count == size else {
            throw NetworkInputError("sample has \(sample.count) elements; expected [\(batch), \(dimension)]")
        }
        guard timesteps.count == batch else {
            throw NetworkInputError("\(timesteps.count) timesteps for \(batch) rows")
        }
        guard classLabels.count == batch else {
            throw NetworkInputError("\(classLabels.count) class labels for \(batch) rows")
        }
        if let label = classLabels.first(where: { !(0..<labelCount).contains($0) }) {
            throw NetworkInputError(
                "class label \(label) is out of range; this network has the classes 0 to \(labelCount - 1)")
        }
        guard batch > 0 else { return [] }
        let workspace = workspaces.take(threads: max(1, min(threads, 256)))
        defer { workspaces.giveBack(workspace) }
        return Array(unsafeUninitializedCapacity: size) { out, initialized in
            guard let base = out.baseAddress else { return }
            base.initialize(repeating: 0, count: size)
            initialized = size
            for first in stride(from: 0, to: batch, by: Self.chunk) {
                let rows = first..<min(batch, first + Self.chunk)
                run(
                    sample[rows.lowerBound * dimension..<rows.upperBound * dimension], timesteps[rows],
                    classLabels[rows],
                    into: base + first * dimension, workspace)
            }
        }
    }

    private func run(
        _ sample: ArraySlice<Float>, _ timesteps: ArraySlice<Float>, _ classLabels: ArraySlice<Int>,
        into out: UnsafeMutablePointer<Float>, _ workspace: Workspace
    ) {
        let count = timesteps.count
        let dimension = configuration.dimension
        _ = workspace.prepare(height: 1, width: 1, rows: count)

        let state = workspace.take(count * paddedChannels(dimension))
        copy(sample, width: dimension, to: state.pointer)
        let condition = conditioning(timesteps, classLabels, workspace)

        // Both parts write their halves of the rows that the joint layers read.
        let inner = paddedChannels(configuration.preprocessing[configuration.preprocessing.count - 1])
        let joint = workspace.take(count * 2 * inner)
        through(stateLayers, state.pointer, count, into: joint.pointer, outStride: 2 * inner, workspace)
        through(conditionLayers, condition.pointer, count, into: joint.pointer + inner, outStride: 2 * inner, workspace)
        ds_activate(joint.pointer, count * 2 * inner, configuration.activation.code, joint.pointer)

        let last = jointLayers[jointLayers.count - 1].matrix.columns
        let hidden = workspace.take(count * last)
        through(jointLayers, joint.pointer, count, into: hidden.pointer, outStride: last, workspace)
        ds_activate(hidden.pointer, count * last, configuration.activation.code, hidden.pointer)

        let result = workspace.take(count * output.matrix.columns)
        output(hidden.pointer, stride: last, count: count, into: result.pointer, workspace)
        for row in 0..<count {
            (out + row * dimension).update(from: result.pointer + row * output.matrix.columns, count: dimension)
        }
        for block in [state, condition, joint, hidden, result] { workspace.giveBack(block) }
    }

    /// Rows of the time's embedding and the label's. The rows of a chain share their times, so that each distinct time goes
    /// through its layer once.
    private func conditioning(
        _ timesteps: ArraySlice<Float>, _ classLabels: ArraySlice<Int>, _ workspace: Workspace
    ) -> Workspace.Block {
        var places: [Float: Int] = [:]
        var distinct: [Float] = []
        let place = timesteps.map { time in
            if let place = places[time] { return place }
            distinct.append(time)
            // A NaN equals nothing and has a place of its own each time.
            places[time] = distinct.count - 1
            return distinct.count - 1
        }
        let channels = configuration.embeddingChannels
        let width = paddedChannels(channels)
        let waves = workspace.take(timesteps.count * width)
        let times = workspace.take(timesteps.count * width)
        let condition = workspace.take(timesteps.count * 2 * width)
        waves.pointer.initialize(repeating: 0, count: distinct.count * width)
        for (row, time) in distinct.enumerated() { sinusoid(time, into: waves.pointer + row * width) }
        through(timeLayers, waves.pointer, distinct.count, into: times.pointer, outStride: width, workspace)
        ds_activate(times.pointer, distinct.count * width, configuration.activation.code, times.pointer)

        condition.pointer.initialize(repeating: 0, count: timesteps.count * 2 * width)
        for (row, label) in classLabels.enumerated() {
            let start = condition.pointer + row * 2 * width
            start.update(from: times.pointer + place[row] * width, count: channels)
            (start + width).update(from: labels.pointer + label * channels, count: channels)
        }
        workspace.giveBack(waves)
        workspace.giveBack(times)
        return condition
    }

    /// A stack of layers with the activation between them; the last layer's is left to the caller.
    private func through(
        _ layers: [Linear], _ rows: UnsafePointer<Float>, _ count: Int, into out: UnsafeMutablePointer<Float>,
        outStride: Int, _ workspace: Workspace
    ) {
        var (rows, stride) = (rows, layers[0].inputStride)
        var blocks: [Workspace.Block] = []
        for layer in layers.dropLast() {
            let columns = layer.matrix.columns
            let block = workspace.take(count * columns)
            blocks.append(block)
            layer(rows, stride: stride, count: count, into: block.pointer, workspace)
            ds_activate(block.pointer, count * columns, configuration.activation.code, block.pointer)
            (rows, stride) = (UnsafePointer(block.pointer), columns)
        }
        layers[layers.count - 1](rows, stride: stride, count: count, into: out, outStride: outStride, workspace)
        for block in blocks { workspace.giveBack(block) }
    }

    /// Rows of `width` floats to rows padded with zeros.
    private func copy(_ rows: ArraySlice<Float>, width: Int, to out: UnsafeMutablePointer<Float>) {
        let stride = paddedChannels(width)
        out.initialize(repeating: 0, count: rows.count / width * stride)
        rows.withUnsafeBufferPointer { rows in
            guard let base = rows.baseAddress else { return }
            for row in 0..<rows.count / width { (out + row * stride).update(from: base + row * width, count: width) }
        }
    }
}
