/// Builds the blocks of a plan from a checkpoint.
struct BlockBuilder {
    let plan: BlockPlan
    let reader: ParameterReader
    var time = TimeProjectionBuilder()

    init(_ plan: BlockPlan, _ reader: ParameterReader) {
        self.plan = plan
        self.reader = reader
    }

    /// The arrangement of a 3×3 convolution whose output is at `level` halvings of the resolution.
    /// - Parameters:
    ///   - weights: inputs times outputs.
    ///   - most: of this and others that share its algorithm, if there are such.
    func arrangement(level: Int, weights: Int, most: Int? = nil) -> Convolution.Arrangement {
        let precision = precision(level: level, weights: weights)
        return .init(algorithm(level: level, weights: most ?? weights, precision: precision), precision)
    }

    /// Winograd's transforms make the error of sixteen bits larger: that of F(4×4) is 3.4 times a direct convolution's. At the
    /// full resolution layers of few channels gain least, for much of their work is the transforms, and their errors are most
    /// of the network's: they stay in single precision. (Time and error of every arrangement are in
    /// Benchmarks/results/half-precision.md.)
    private func precision(level: Int, weights: Int) -> Precision {
        level == 0 && weights <= 32_768 ? .f32 : reader.precision
    }

    func algorithm(level: Int, weights: Int, precision: Precision = .f32) -> Convolution.Algorithm {
        .fastest(
            weights: weights, side: max(1, min(plan.size.height, plan.size.width) >> level), precision: precision)
    }

    /// - Parameter level: of the output.
    private mutating func residualBlock(
        _ key: String, from layout: ChannelLayout, to channels: Int, level: Int,
        resampling: ResidualBlock.Resampling = .none, outScaleFactor: Double = 1
    ) throws(CheckpointError) -> ResidualBlock {
        try ResidualBlock(
            reader, key, from: layout, to: channels, style: plan.style, resampling: resampling,
            outScaleFactor: outScaleFactor,
            arrangements: (
                arrangement(
                    level: level, weights: layout.channels * channels, most: max(layout.channels, channels) * channels),
                arrangement(
                    level: level, weights: channels * channels, most: max(layout.channels, channels) * channels)
            ), time: &time)
    }

    private func attention(
        _ key: String, _ channels: Int, _ kind: BlockPlan.Attention, rescale: Double = 1
    ) throws(CheckpointError) -> SpatialAttention {
        switch kind {
        case .pixels(let headChannels, let groups):
            .pixels(
                try Attention(
                    reader, key, channels: channels, headChannels: headChannels, groups: groups,
                    epsilon: plan.style.epsilon, rescale: rescale))
        case .transformer(let transformer):
            .transformer(
                try SpatialTransformer(reader, key, channels: channels, transformer, groups: plan.style.groups))
        }
    }

    mutating func downBlocks() throws(CheckpointError) -> [DownBlock] {
        var blocks: [DownBlock] = []
        for level in plan.down.indices { blocks.append(try downBlock(level: level)) }
        return blocks
    }

    mutating func upBlocks() throws(CheckpointError) -> [UpBlock] {
        var blocks: [UpBlock] = []
        for index in plan.up.indices { blocks.append(try upBlock(index)) }
        return blocks
    }

    private mutating func downBlock(level: Int) throws(CheckpointError) -> DownBlock {
        let kind = plan.down[level]
        let channels = plan.blockChannels[level]
        let key = "\(plan.prefix)down_blocks.\(level)"
        var residualBlocks: [ResidualBlock] = []
        var attentions: [SpatialAttention] = []
        for layer in 0..<kind.residualBlocks {
            let inChannels = layer == 0 ? plan.blockChannels[max(0, level - 1)] : channels
            residualBlocks.append(
                try residualBlock(
                    "\(key).resnets.\(layer)", from: ChannelLayout(inChannels), to: channels, level: level))
            if layer < kind.attentions.count {
                attentions.append(try attention("\(key).attentions.\(layer)", channels, kind.attentions[layer]))
            }
        }
        var downsampler: Resampler?
        if level < plan.halvings {
            let (key, layout) = ("\(key).downsamplers.0", ChannelLayout(channels))
            if kind.resamplesByResidualBlock {
                downsampler = .residual(
                    try residualBlock(key, from: layout, to: channels, level: level + 1, resampling: .down))
            } else {
                downsampler = .convolution(
                    try Convolution(
                        reader, "\(key).conv", from: layout, to: channels, stride: 2,
                        padding: plan.downsamplePadding, arrangement: .init(.direct, reader.precision)))
            }
        }
        return DownBlock(residualBlocks: residualBlocks, attentions: attentions, downsampler: downsampler)
    }

    mutating func midBlock() throws(CheckpointError) -> MidBlock? {
        guard let kind = plan.middle else { return nil }
        let level = plan.halvings
        let channels = plan.blockChannels[level]
        let key = "\(plan.prefix)mid_block"
        let layout = ChannelLayout(channels)
        let first = try residualBlock(
            "\(key).resnets.0", from: layout, to: channels, level: level, outScaleFactor: kind.scaleFactor)
        var attention: SpatialAttention?
        if let plan = kind.attention {
            attention = try self.attention("\(key).attentions.0", channels, plan, rescale: kind.scaleFactor)
        }
        var second: ResidualBlock?
        if kind.residualBlocks == 2 {
            second = try residualBlock(
                "\(key).resnets.1", from: layout, to: channels, level: level, outScaleFactor: kind.scaleFactor)
        }
        return MidBlock(first: first, attention: attention, second: second)
    }

    /// - Parameter index: 0 is the block at the lowest resolution.
    private mutating func upBlock(_ index: Int) throws(CheckpointError) -> UpBlock {
        let kind = plan.up[index]
        let level = plan.halvings - index
        let channels = plan.blockChannels[level]
        let key = "\(plan.prefix)up_blocks.\(index)"
        var residualBlocks: [ResidualBlock] = []
        var attentions: [SpatialAttention] = []
        for layer in 0..<kind.residualBlocks {
            residualBlocks.append(
                try residualBlock(
                    "\(key).resnets.\(layer)", from: plan.upLayout(index, layer: layer), to: channels, level: level))
            if layer < kind.attentions.count {
                attentions.append(try attention("\(key).attentions.\(layer)", channels, kind.attentions[layer]))
            }
        }
        var upsampler: Resampler?
        if index < plan.halvings {
            let (key, layout) = ("\(key).upsamplers.0", ChannelLayout(channels))
            if kind.resamplesByResidualBlock {
                upsampler = .residual(
                    try residualBlock(key, from: layout, to: channels, level: level - 1, resampling: .up))
            } else {
                upsampler = .convolution(
                    try Convolution(
                        reader, "\(key).conv", from: layout, to: channels,
                        arrangement: arrangement(level: level - 1, weights: channels * channels)))
            }
        }
        return UpBlock(residualBlocks: residualBlocks, attentions: attentions, upsampler: upsampler)
    }
}
