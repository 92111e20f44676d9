/// Builds the blocks of a ``UNet2D`` from a checkpoint.
struct BlockBuilder {
    let configuration: UNet2DConfiguration
    let reader: ParameterReader
    var time = TimeProjectionBuilder()

    init(_ configuration: UNet2DConfiguration, _ reader: ParameterReader) {
        self.configuration = configuration
        self.reader = reader
    }

    private var style: ResidualBlock.Style {
        .init(
            groups: configuration.normGroups, epsilon: configuration.normEpsilon, activation: configuration.activation,
            timeChannels: configuration.timeEmbeddingChannels, timeScaleShift: configuration.timeScaleShift)
    }

    /// The arrangement of 3×3 convolutions whose output is at `level` halvings of the resolution.
    ///
    /// F(4×4) needs a quarter of the multiplications but four times the weights; at the smallest resolutions, where few tiles
    /// share the weights, F(2×2) is the better bargain.
    func algorithm(level: Int) -> Convolution.Algorithm {
        let size = configuration.sampleSize ?? .init(height: 32, width: 32)
        let least = max(1, min(size.height, size.width) >> level)
        return .winograd(least <= 4 ? 2 : 4)
    }

    /// - Parameter level: of the output.
    private mutating func residualBlock(
        _ key: String, from layout: ChannelLayout, to channels: Int, level: Int,
        resampling: ResidualBlock.Resampling = .none, outScaleFactor: Double = 1
    ) throws(CheckpointError) -> ResidualBlock {
        try ResidualBlock(
            reader, key, from: layout, to: channels, style: style, resampling: resampling,
            outScaleFactor: outScaleFactor, algorithm: algorithm(level: level), time: &time)
    }

    private func attention(_ key: String, _ channels: Int) throws(CheckpointError) -> Attention {
        try Attention(
            reader, key, channels: channels, headChannels: configuration.attentionHeadChannels,
            groups: configuration.normGroups, epsilon: configuration.normEpsilon)
    }

    mutating func downBlock(level: Int) throws(CheckpointError) -> DownBlock {
        let kind = configuration.downBlocks[level]
        let channels = configuration.blockChannels[level]
        let key = "down_blocks.\(level)"
        var residualBlocks: [ResidualBlock] = []
        var attentions: [Attention] = []
        for layer in 0..<configuration.layersPerBlock {
            let inChannels = layer == 0 ? configuration.blockChannels[max(0, level - 1)] : channels
            residualBlocks.append(
                try residualBlock(
                    "\(key).resnets.\(layer)", from: ChannelLayout(inChannels), to: channels, level: level))
            if kind == .attention { attentions.append(try attention("\(key).attentions.\(layer)", channels)) }
        }
        var downsampler: Resampler?
        if level < configuration.halvings {
            let (key, layout) = ("\(key).downsamplers.0", ChannelLayout(channels))
            if kind == .residual || (kind == .attention && configuration.downsampling == .resnet) {
                downsampler = .residual(
                    try residualBlock(key, from: layout, to: channels, level: level + 1, resampling: .down))
            } else {
                downsampler = .convolution(
                    try Convolution(
                        reader, "\(key).conv", from: layout, to: channels, stride: 2,
                        padding: configuration.downsamplePadding, algorithm: .direct))
            }
        }
        return DownBlock(residualBlocks: residualBlocks, attentions: attentions, downsampler: downsampler)
    }

    mutating func midBlock() throws(CheckpointError) -> MidBlock {
        let level = configuration.halvings
        let channels = configuration.blockChannels[level]
        let factor = configuration.midBlockScaleFactor
        let layout = ChannelLayout(channels)
        let first = try residualBlock(
            "mid_block.resnets.0", from: layout, to: channels, level: level, outScaleFactor: factor)
        var attention: Attention?
        if configuration.hasMidAttention {
            let groups =
                configuration.attentionNormGroups
                ?? (configuration.timeScaleShift == .shift ? configuration.normGroups : nil)
            attention = try Attention(
                reader, "mid_block.attentions.0", channels: channels, headChannels: configuration.attentionHeadChannels,
                groups: groups, epsilon: configuration.normEpsilon, rescale: factor)
        }
        let second = try residualBlock(
            "mid_block.resnets.1", from: layout, to: channels, level: level, outScaleFactor: factor)
        return MidBlock(first: first, attention: attention, second: second)
    }

    /// - Parameter index: 0 is the block at the lowest resolution.
    mutating func upBlock(_ index: Int) throws(CheckpointError) -> UpBlock {
        let kind = configuration.upBlocks[index]
        let widths = Array(configuration.blockChannels.reversed())
        let level = configuration.halvings - index
        let channels = widths[index]
        let previous = widths[max(0, index - 1)]
        let skip = widths[min(index + 1, widths.count - 1)]
        let key = "up_blocks.\(index)"
        var residualBlocks: [ResidualBlock] = []
        var attentions: [Attention] = []
        for layer in 0...configuration.layersPerBlock {
            let layout = ChannelLayout(
                layer == 0 ? previous : channels, layer == configuration.layersPerBlock ? skip : channels)
            residualBlocks.append(
                try residualBlock("\(key).resnets.\(layer)", from: layout, to: channels, level: level))
            if kind == .attention { attentions.append(try attention("\(key).attentions.\(layer)", channels)) }
        }
        var upsampler: Resampler?
        if index < configuration.halvings {
            let (key, layout) = ("\(key).upsamplers.0", ChannelLayout(channels))
            if kind == .residual || (kind == .attention && configuration.upsampling == .resnet) {
                upsampler = .residual(
                    try residualBlock(key, from: layout, to: channels, level: level - 1, resampling: .up))
            } else {
                upsampler = .convolution(
                    try Convolution(
                        reader, "\(key).conv", from: layout, to: channels, algorithm: algorithm(level: level - 1)))
            }
        }
        return UpBlock(residualBlocks: residualBlocks, attentions: attentions, upsampler: upsampler)
    }
}
