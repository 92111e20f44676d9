import CKernels

/// A U-Net but for what it is told beside its images: a convolution, blocks down, middle and up with skip connections, and a
/// convolution of the normalised result.
struct UNetBody: Sendable {
    let centersInput: Bool
    let convIn: Convolution  // conv_in
    let downBlocks: [DownBlock]  // down_blocks
    let midBlock: MidBlock?  // mid_block
    let upBlocks: [UpBlock]  // up_blocks
    let normOut: GroupNorm  // conv_norm_out
    let outActivation: Activation
    let convOut: Convolution  // conv_out

    /// - Parameters:
    ///   - centersInput: whether an input from 0 to 1 is moved to -1 to 1 first.
    ///   - outActivation: between the last normalisation and the last convolution.
    init(
        _ builder: inout BlockBuilder, from inChannels: Int, to outChannels: Int, centersInput: Bool,
        outActivation: Activation
    ) throws(CheckpointError) {
        let (reader, plan) = (builder.reader, builder.plan)
        let layout = ChannelLayout(plan.blockChannels[0])
        self.centersInput = centersInput
        self.outActivation = outActivation
        convIn = try Convolution(
            reader, "conv_in", from: ChannelLayout(inChannels), to: layout.channels, arrangement: .init(.direct))
        downBlocks = try builder.downBlocks()
        midBlock = try builder.midBlock()
        upBlocks = try builder.upBlocks()
        normOut = try GroupNorm(
            reader, "conv_norm_out", layout, groups: plan.style.groups, epsilon: plan.style.epsilon)
        convOut = try Convolution(
            reader, "conv_out", from: layout, to: outChannels,
            arrangement: .init(builder.algorithm(level: 0, weights: layout.channels * outChannels)))
    }

    /// - Parameters:
    ///   - sample: the pass's images, channels first.
    ///   - size: of each.
    ///   - time: the projections of the time embedding.
    ///   - context: what cross-attention reads; nil for a network without.
    ///   - output: room for the pass's images.
    ///   - pass: which rows these are.
    func callAsFunction(
        _ sample: UnsafePointer<Float>, _ size: UNet2DConfiguration.ImageSize, time: TimeProjection.Values,
        context: Images?, into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        var x = input(sample, size, pass)

        // Down, keeping every block's output for the way up.
        var skips = [x]
        for block in downBlocks {
            for (index, residualBlock) in block.residualBlocks.enumerated() {
                x = residualBlock(FeatureMap(x), time: time, pass)
                if index < block.attentions.count {
                    let before = x
                    x = block.attentions[index](x, context: context, pass)
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
            if let attention = midBlock.attention { replace(attention(x, context: context, pass)) }
            if let second = midBlock.second { replace(second(FeatureMap(x), time: time, pass)) }
        }

        // Up, each residual block with the latest skip connection.
        for block in upBlocks {
            for (index, residualBlock) in block.residualBlocks.enumerated() {
                guard let skip = skips.popLast() else { break }
                replace(residualBlock(FeatureMap(x, skip), time: time, pass))
                pass.giveBack(skip)
                if index < block.attentions.count { replace(block.attentions[index](x, context: context, pass)) }
            }
            if let upsampler = block.upsampler { replace(upsampler(x, time: time, pass)) }
        }

        write(x, to: output, pass)
    }

    /// The images in channels-last order, through the first convolution.
    private func input(
        _ sample: UnsafePointer<Float>, _ size: UNet2DConfiguration.ImageSize, _ pass: Pass
    ) -> Images {
        let (scale, shift): (Float, Float) = centersInput ? (2, -1) : (1, 0)
        let input = Images(
            pass, channelsFirst: sample, channels: convIn.layout.channels, height: size.height, width: size.width,
            scale: scale, shift: shift)
        let x = Images(pass, channels: convIn.outChannels, height: size.height, width: size.width)
        convIn(.init(FeatureMap(input)), into: x, pass)
        pass.giveBack(input)
        return x
    }

    /// The last normalisation and convolution, back in the order of the caller.
    private func write(_ x: Images, to output: UnsafeMutablePointer<Float>, _ pass: Pass) {
        let coefficients = normOut.coefficients(of: FeatureMap(x), pass)
        let result = Images(pass, channels: convOut.outChannels, height: x.height, width: x.width)
        convOut(.init(FeatureMap(x), coefficients, outActivation), into: result, pass)
        result.write(channelsFirst: output, pass)
    }

    /// Operations for one image, its context of so many tokens.
    func operations(_ size: UNet2DConfiguration.ImageSize, context: Int) -> Double {
        var (height, width) = (size.height, size.width)
        var total = convIn.operations(height, width)
        func add(_ blocks: [ResidualBlock], _ attentions: [SpatialAttention]) {
            for block in blocks { total += block.operations(height, width) }
            for attention in attentions { total += attention.operations(pixels: height * width, context: context) }
        }
        for block in downBlocks {
            add(block.residualBlocks, block.attentions)
            guard let downsampler = block.downsampler else { continue }
            (height, width) = (height / 2, width / 2)
            total += downsampler.operations(height, width)
        }
        if let midBlock {
            add([midBlock.first] + (midBlock.second.map { [$0] } ?? []), midBlock.attention.map { [$0] } ?? [])
        }
        for block in upBlocks {
            add(block.residualBlocks, block.attentions)
            guard let upsampler = block.upsampler else { continue }
            (height, width) = (2 * height, 2 * width)
            total += upsampler.operations(height, width)
        }
        return total + convOut.operations(height, width)
    }
}
