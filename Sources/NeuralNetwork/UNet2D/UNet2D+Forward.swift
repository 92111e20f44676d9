import CKernels

extension UNet2D {
    /// As ``Network/forward(_:_:_:into:_:)`` says.
    public func forward(
        _ sample: UnsafePointer<Float>, _ size: UNet2DConfiguration.ImageSize, _ conditioning: Conditioning,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        let time = embed(conditioning, pass)
        var x = input(sample, size, pass)

        // Down, keeping every block's output for the way up.
        var skips = [x]
        for block in downBlocks {
            for (index, residualBlock) in block.residualBlocks.enumerated() {
                x = residualBlock(FeatureMap(x), time: time, pass)
                if index < block.attentions.count {
                    let before = x
                    x = block.attentions[index](x, pass)
                    pass.giveBack(before)
                }
                skips.append(x)
            }
            if let downsampler = block.downsampler {
                x = downsampler(x, time: time, pass)
                skips.append(x)
            }
        }

        // Middle. The last skip connection is still needed, everything after it is given back.
        var isSkip = true
        func replace(_ y: Images) {
            if !isSkip { pass.giveBack(x) }
            isSkip = false
            x = y
        }
        if let midBlock {
            replace(midBlock.first(FeatureMap(x), time: time, pass))
            if let attention = midBlock.attention { replace(attention(x, pass)) }
            replace(midBlock.second(FeatureMap(x), time: time, pass))
        }

        // Up, each residual block with the latest skip connection.
        for block in upBlocks {
            for (index, residualBlock) in block.residualBlocks.enumerated() {
                guard let skip = skips.popLast() else { break }
                replace(residualBlock(FeatureMap(x, skip), time: time, pass))
                pass.giveBack(skip)
                if index < block.attentions.count { replace(block.attentions[index](x, pass)) }
            }
            if let upsampler = block.upsampler { replace(upsampler(x, time: time, pass)) }
        }

        write(x, to: output, pass)
    }

    /// The images in channels-last order, through the first convolution.
    private func input(
        _ sample: UnsafePointer<Float>, _ size: UNet2DConfiguration.ImageSize, _ pass: Pass
    ) -> Images {
        let channels = configuration.inChannels
        let input = Images(pass, channels: channels, height: size.height, width: size.width)
        let (scale, shift): (Float, Float) = configuration.centerInputSample ? (2, -1) : (1, 0)
        pass.parallel(pass.count) { image, _ in
            ds_to_channels_last(
                sample + image * channels * input.pixels, channels, input.pixels, input.stride, scale, shift,
                input.image(image))
        }
        let x = Images(pass, channels: configuration.blockChannels[0], height: size.height, width: size.width)
        convIn(.init(FeatureMap(input)), into: x, pass)
        pass.giveBack(input)
        return x
    }

    /// The last normalisation and convolution, back in the order of the caller.
    private func write(_ x: Images, to output: UnsafeMutablePointer<Float>, _ pass: Pass) {
        let channels = configuration.outChannels
        let coefficients = normOut.coefficients(of: FeatureMap(x), pass)
        let result = Images(pass, channels: channels, height: x.height, width: x.width)
        convOut(.init(FeatureMap(x), coefficients, .silu), into: result, pass)
        pass.parallel(pass.count) { image, _ in
            ds_from_channels_last(
                result.image(image), channels, result.pixels, result.stride, output + image * channels * result.pixels)
        }
    }

    /// The time embedding, with the class embedding added, as every residual block sees it.
    private func embed(_ conditioning: Conditioning, _ pass: Pass) -> TimeProjection.Values {
        pass.timed("time embedding") {
            let stride = paddedChannels(configuration.timeEmbeddingChannels)
            let waves = pass.take(perRow: paddedChannels(sinusoid.channels))
            let embedding = pass.take(perRow: stride)
            sinusoid(conditioning.timesteps[pass.rows], into: waves.pointer)
            timeEmbedding(waves.pointer, into: embedding.pointer, pass)
            addClasses(conditioning.classes, to: embedding.pointer, waves: waves.pointer, pass)
            configuration.activation(embedding.pointer, count: pass.count * stride)
            let values = timeProjection(embedding.pointer, pass)
            pass.giveBack(embedding)
            pass.giveBack(waves)
            return values
        }
    }

    /// Adds the class embedding of every row to its embedding.
    /// - Parameter waves: memory that sinusoids of class inputs may be written to.
    private func addClasses(
        _ classes: Classes, to embedding: UnsafeMutablePointer<Float>, waves: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        let channels = configuration.timeEmbeddingChannels
        let stride = paddedChannels(channels)
        func add(_ values: UnsafePointer<Float>, to row: Int) {
            let place = embedding + row * stride
            for channel in 0..<channels { place[channel] += values[channel] }
        }
        switch (classEmbedding, classes) {
        case (.table(let table), .labels(let labels)):
            for (row, label) in labels[pass.rows].enumerated() { add(table.pointer + label * channels, to: row) }
        case (.identity, .values(let values)):
            values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                for (row, index) in pass.rows.enumerated() { add(base + index * channels, to: row) }
            }
        case (.timestep(let layer), _):
            if let numbers = classes.numbers { sinusoid(numbers[pass.rows], into: waves) }
            let embedded = pass.take(perRow: stride)
            layer(waves, into: embedded.pointer, pass)
            for row in 0..<pass.count { add(embedded.pointer + row * stride, to: row) }
            pass.giveBack(embedded)
        default: break  // No class embedding; anything else has been refused.
        }
    }
}
