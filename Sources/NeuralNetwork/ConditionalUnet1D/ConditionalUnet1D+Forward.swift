extension ConditionalUnet1D {
    public func forward(
        _ sample: UnsafePointer<Float>, _ shape: Shape, _ conditioning: Conditioning,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        let features = features(conditioning, pass)
        let channels = configuration.downChannels
        func sequences(_ channels: Int, _ positions: Int) -> Sequences {
            Sequences(pass, positions: positions, channels: channels)
        }

        // What the way up reads at each level but the first: what comes from below, then what the way down leaves.
        let joined = channels.indices.map { level in
            level == 0
                ? nil
                : Sequences(
                    pass, positions: shape.positions >> level, channels: 2 * channels[level],
                    columns: 2 * paddedChannels(channels[level]))
        }
        /// Half `index` of that, or a place of its own at the first level.
        func place(_ level: Int, half index: Int) -> Sequences {
            guard let both = joined[level] else { return sequences(channels[level], shape.positions >> level) }
            return Sequences(
                of: both, firstColumn: index * paddedChannels(channels[level]), channels: channels[level])
        }

        var x = input(sample, shape, pass)
        func replace(_ next: Sequences) {
            pass.giveBack(x)
            x = next
        }

        // Down.
        for (level, down) in downLevels.enumerated() {
            let first = sequences(channels[level], x.positions)
            down.first(x, into: first, features: features, pass)
            replace(first)
            let second = place(level, half: 1)
            down.second(x, into: second, features: features, pass)
            replace(second)
            if let halving = down.halving {
                let smaller = sequences(channels[level], x.positions / 2)
                resample(halving, x, into: smaller, pass)
                replace(smaller)
            }
        }

        // Middle.
        let lowest = channels.count - 1
        for (index, block) in middle.enumerated() {
            let isLast = index == middle.count - 1
            let result = isLast ? place(lowest, half: 0) : sequences(channels[lowest], x.positions)
            block(x, into: result, features: features, pass)
            replace(result)
        }

        // Up.
        for (index, up) in upLevels.enumerated() {
            let level = lowest - index
            guard let both = joined[level] else { break }
            let first = sequences(channels[level - 1], x.positions)
            up.first(both, into: first, features: features, pass)
            pass.giveBack(both)
            replace(first)
            let second = sequences(channels[level - 1], x.positions)
            up.second(x, into: second, features: features, pass)
            replace(second)
            let larger = place(level - 1, half: 0)
            resample(up.doubling, x, into: larger, pass)
            replace(larger)
        }

        // Output.
        let last = sequences(channels[0], shape.positions)
        finalBlock(x, into: last, pass)
        replace(last)
        let result = sequences(configuration.inputDimension, shape.positions)
        finalConvolution(x, into: result, pass)
        replace(result)
        write(x, to: output)
    }

    /// The sequences, by position first.
    private func input(_ sample: UnsafePointer<Float>, _ shape: Shape, _ pass: Pass) -> Sequences {
        let (positions, dimension) = (shape.positions, configuration.inputDimension)
        let input = Sequences(pass, positions: positions, channels: dimension)
        for position in 0..<positions {
            for row in 0..<pass.count {
                (input.pointer + (position * pass.count + row) * input.stride).update(
                    from: sample + (row * positions + position) * dimension, count: dimension)
            }
        }
        return input
    }

    /// Back in the order of the caller.
    private func write(_ x: Sequences, to output: UnsafeMutablePointer<Float>) {
        for row in 0..<x.batch {
            for position in 0..<x.positions {
                (output + (row * x.positions + position) * x.channels).update(
                    from: x.pointer + (position * x.batch + row) * x.stride, count: x.channels)
            }
        }
    }

    private func resample(_ convolution: SequenceConvolution, _ x: Sequences, into output: Sequences, _ pass: Pass) {
        pass.timed(
            "convolution \(x.channels)→\(output.channels), \(x.positions) to \(output.positions) positions",
            operations: Double(x.batch) * convolution.operations(x.positions)
        ) {
            convolution(x, into: output, pass)
        }
    }

    /// Gains and offsets of all residual blocks: of Mish of the embedded step and the condition, side by side.
    private func features(_ conditioning: Conditioning, _ pass: Pass) -> TimeProjection.Values {
        pass.timed("step and condition", operations: Double(pass.count) * featureOperations) {
            let embedding = configuration.stepEmbeddingChannels
            let (waveStride, stride) = (paddedChannels(embedding), paddedChannels(configuration.featureDimension))
            let waves = pass.take(perRow: waveStride)
            let embedded = pass.take(perRow: waveStride)
            let features = pass.take(perRow: stride)
            sinusoid(conditioning.timesteps[pass.rows], into: waves.pointer)
            stepEncoder(waves.pointer, into: embedded.pointer, pass)
            let dimension = configuration.conditionDimension
            conditioning.condition.withUnsafeBufferPointer { condition in
                for (row, index) in pass.rows.enumerated() {
                    let place = features.pointer + row * stride
                    place.update(from: embedded.pointer + row * waveStride, count: embedding)
                    if let base = condition.baseAddress {
                        (place + embedding).update(from: base + index * dimension, count: dimension)
                    }
                    (place + embedding + dimension).update(repeating: 0, count: stride - embedding - dimension)
                }
            }
            Activation.mish(features.pointer, count: pass.count * stride)
            let values = featureProjection(features.pointer, pass)
            for block in [waves, embedded, features] { pass.giveBack(block) }
            return values
        }
    }
}
