extension VelocityMLP {
    /// As ``Network/forward(_:_:_:into:_:)`` says.
    public func forward(
        _ sample: UnsafePointer<Float>, _ shape: Void, _ conditioning: Conditioning,
        into result: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        let (count, dimension) = (pass.count, configuration.dimension)
        let state = copy(sample, pass)
        let condition = condition(conditioning, pass)

        // Both parts write their halves of the rows that the joint layers read.
        let inner = paddedChannels(configuration.preprocessing[configuration.preprocessing.count - 1])
        let joint = pass.take(perRow: 2 * inner)
        through(stateLayers, state.pointer, count, into: joint.pointer, outStride: 2 * inner, pass)
        through(conditionLayers, condition.pointer, count, into: joint.pointer + inner, outStride: 2 * inner, pass)
        configuration.activation(joint.pointer, count: count * 2 * inner)

        let last = jointLayers[jointLayers.count - 1].matrix.columns
        let hidden = pass.take(perRow: last)
        through(jointLayers, joint.pointer, count, into: hidden.pointer, outStride: last, pass)
        configuration.activation(hidden.pointer, count: count * last)

        let padded = pass.take(perRow: output.matrix.columns)
        output(hidden.pointer, stride: last, count: count, into: padded.pointer, pass)
        for row in 0..<count {
            (result + row * dimension).update(from: padded.pointer + row * output.matrix.columns, count: dimension)
        }
        for block in [state, condition, joint, hidden, padded] { pass.giveBack(block) }
    }

    /// The states, padded with zeros.
    private func copy(_ sample: UnsafePointer<Float>, _ pass: Pass) -> Workspace.Block {
        let dimension = configuration.dimension
        let stride = paddedChannels(dimension)
        let state = pass.take(perRow: stride)
        state.pointer.initialize(repeating: 0, count: pass.count * stride)
        for row in 0..<pass.count {
            (state.pointer + row * stride).update(from: sample + row * dimension, count: dimension)
        }
        return state
    }

    /// Rows of the time's embedding and the label's. The rows of a chain share their times, so that each distinct time goes
    /// through its layer once.
    private func condition(_ conditioning: Conditioning, _ pass: Pass) -> Workspace.Block {
        var places: [Float: Int] = [:]
        var distinct: [Float] = []
        let place = conditioning.timesteps[pass.rows].map { time in
            if let place = places[time] { return place }
            distinct.append(time)
            // A NaN equals nothing and has a place of its own each time.
            places[time] = distinct.count - 1
            return distinct.count - 1
        }
        let channels = configuration.embeddingChannels
        let width = paddedChannels(channels)
        let waves = pass.take(perRow: width)
        let times = pass.take(perRow: width)
        let condition = pass.take(perRow: 2 * width)
        waves.pointer.initialize(repeating: 0, count: distinct.count * width)
        sinusoid(distinct, into: waves.pointer)
        through(timeLayers, waves.pointer, distinct.count, into: times.pointer, outStride: width, pass)
        configuration.activation(times.pointer, count: distinct.count * width)

        condition.pointer.initialize(repeating: 0, count: pass.count * 2 * width)
        for (row, label) in conditioning.classLabels[pass.rows].enumerated() {
            let start = condition.pointer + row * 2 * width
            start.update(from: times.pointer + place[row] * width, count: channels)
            (start + width).update(from: labels.pointer + label * channels, count: channels)
        }
        pass.giveBack(waves)
        pass.giveBack(times)
        return condition
    }

    /// A stack of layers with the activation between them; the last layer's is left to the caller.
    private func through(
        _ layers: [Linear], _ rows: UnsafePointer<Float>, _ count: Int, into out: UnsafeMutablePointer<Float>,
        outStride: Int, _ pass: Pass
    ) {
        var (rows, stride) = (rows, layers[0].inputStride)
        var blocks: [Workspace.Block] = []
        for layer in layers.dropLast() {
            let columns = layer.matrix.columns
            let block = pass.take(perRow: columns)
            blocks.append(block)
            layer(rows, stride: stride, count: count, into: block.pointer, pass)
            configuration.activation(block.pointer, count: count * columns)
            (rows, stride) = (UnsafePointer(block.pointer), columns)
        }
        layers[layers.count - 1](rows, stride: stride, count: count, into: out, outStride: outStride, pass)
        for block in blocks { pass.giveBack(block) }
    }
}
