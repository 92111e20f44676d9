/// The blocks of a `UNet2DModel` (diffusers `models/unets/unet_2d_blocks.py`); checkpoint keys stand beside the names.

/// Residual blocks, each followed by attention in an `AttnDownBlock2D`, then a halving of the resolution.
/// `DownBlock2D`, `AttnDownBlock2D`, `ResnetDownsampleBlock2D`.
struct DownBlock: Sendable {
    let residualBlocks: [ResidualBlock]  // resnets
    let attentions: [Attention]  // attentions
    let downsampler: Downsampler?  // downsamplers.0

    enum Downsampler: Sendable {
        case convolution(Convolution)  // downsamplers.0.conv
        case residual(ResidualBlock)  // downsamplers.0
    }
}

/// Two residual blocks with attention between them. `UNetMidBlock2D`.
struct MidBlock: Sendable {
    let first: ResidualBlock  // resnets.0
    let attention: Attention?  // attentions.0
    let second: ResidualBlock  // resnets.1
}

/// Residual blocks that each take a skip connection as well, then a doubling of the resolution.
/// `UpBlock2D`, `AttnUpBlock2D`, `ResnetUpsampleBlock2D`.
struct UpBlock: Sendable {
    let residualBlocks: [ResidualBlock]  // resnets
    let attentions: [Attention]  // attentions
    let upsampler: Upsampler?  // upsamplers.0

    enum Upsampler: Sendable {
        case convolution(Convolution)  // upsamplers.0.conv
        case residual(ResidualBlock)  // upsamplers.0
    }
}

/// Builds blocks from a checkpoint.
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
                try ResidualBlock(
                    reader, "\(key).resnets.\(layer)", from: ChannelLayout(inChannels), to: channels, style: style,
                    algorithm: algorithm(level: level), time: &time))
            if kind == .attention { attentions.append(try attention("\(key).attentions.\(layer)", channels)) }
        }
        var downsampler: DownBlock.Downsampler?
        if level < configuration.halvings {
            if kind == .residual || (kind == .attention && configuration.downsampling == .resnet) {
                downsampler = .residual(
                    try ResidualBlock(
                        reader, "\(key).downsamplers.0", from: ChannelLayout(channels), to: channels, style: style,
                        resampling: .down, algorithm: algorithm(level: level + 1), time: &time))
            } else {
                downsampler = .convolution(
                    try Convolution(
                        reader, "\(key).downsamplers.0.conv", from: ChannelLayout(channels), to: channels, stride: 2,
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
        let first = try ResidualBlock(
            reader, "mid_block.resnets.0", from: layout, to: channels, style: style, outScaleFactor: factor,
            algorithm: algorithm(level: level), time: &time)
        var attention: Attention?
        if configuration.hasMidAttention {
            let groups =
                configuration.attentionNormGroups
                ?? (configuration.timeScaleShift == .shift ? configuration.normGroups : nil)
            attention = try Attention(
                reader, "mid_block.attentions.0", channels: channels, headChannels: configuration.attentionHeadChannels,
                groups: groups, epsilon: configuration.normEpsilon, rescale: factor)
        }
        let second = try ResidualBlock(
            reader, "mid_block.resnets.1", from: layout, to: channels, style: style, outScaleFactor: factor,
            algorithm: algorithm(level: level), time: &time)
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
                try ResidualBlock(
                    reader, "\(key).resnets.\(layer)", from: layout, to: channels, style: style,
                    algorithm: algorithm(level: level), time: &time))
            if kind == .attention { attentions.append(try attention("\(key).attentions.\(layer)", channels)) }
        }
        var upsampler: UpBlock.Upsampler?
        if index < configuration.halvings {
            let layout = ChannelLayout(channels)
            if kind == .residual || (kind == .attention && configuration.upsampling == .resnet) {
                upsampler = .residual(
                    try ResidualBlock(
                        reader, "\(key).upsamplers.0", from: layout, to: channels, style: style, resampling: .up,
                        algorithm: algorithm(level: level - 1), time: &time))
            } else {
                upsampler = .convolution(
                    try Convolution(
                        reader, "\(key).upsamplers.0.conv", from: layout, to: channels,
                        algorithm: algorithm(level: level - 1)))
            }
        }
        return UpBlock(residualBlocks: residualBlocks, attentions: attentions, upsampler: upsampler)
    }
}
