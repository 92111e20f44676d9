/// A `UNet2DModel` of diffusers, for inference on the CPU in single precision. Immutable, to be shared freely.
///
/// Rows of a batch do not touch each other: a row's output is the same, bit for bit, whatever stands beside it, wherever it
/// stands, and whatever the number of threads.
public struct UNet2D: Network {
    public let configuration: UNet2DConfiguration
    public let resources: NetworkResources

    let timeEmbedding: TimestepEmbedding  // time_embedding
    let classEmbedding: ClassEmbedding  // class_embedding
    let sinusoid: SinusoidalEmbedding
    let timeProjection: TimeProjection
    let convIn: Convolution  // conv_in
    let downBlocks: [DownBlock]  // down_blocks
    let midBlock: MidBlock?  // mid_block
    let upBlocks: [UpBlock]  // up_blocks
    let normOut: GroupNorm  // conv_norm_out
    let convOut: Convolution  // conv_out

    enum ClassEmbedding: Sendable {
        case none
        case table(FloatStorage)  // class_embedding.weight
        case timestep(TimestepEmbedding)
        case identity
    }

    public init(_ configuration: UNet2DConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        var builder = BlockBuilder(configuration, reader)
        let channels = configuration.blockChannels[0]
        let timeChannels = configuration.timeEmbeddingChannels

        sinusoid = SinusoidalEmbedding(
            channels: channels, flipSinToCos: configuration.flipSinToCos, frequencyShift: configuration.frequencyShift)
        timeEmbedding = try TimestepEmbedding(reader, "time_embedding", from: channels, to: timeChannels)
        switch configuration.classEmbedding {
        case .none: classEmbedding = .none
        case .identity: classEmbedding = .identity
        case .table(let count):
            let values = try reader.read("class_embedding.weight", [count, timeChannels])
            classEmbedding = .table(FloatStorage(values, count: values.count))
        case .timestep:
            classEmbedding = .timestep(
                try TimestepEmbedding(reader, "class_embedding", from: channels, to: timeChannels))
        }

        convIn = try Convolution(
            reader, "conv_in", from: ChannelLayout(configuration.inChannels), to: channels, algorithm: .direct)
        var downBlocks: [DownBlock] = []
        for level in configuration.blockChannels.indices { downBlocks.append(try builder.downBlock(level: level)) }
        self.downBlocks = downBlocks
        midBlock = configuration.hasMidBlock ? try builder.midBlock() : nil
        var upBlocks: [UpBlock] = []
        for index in configuration.blockChannels.indices { upBlocks.append(try builder.upBlock(index)) }
        self.upBlocks = upBlocks
        normOut = try GroupNorm(
            reader, "conv_norm_out", ChannelLayout(channels), groups: configuration.normGroups,
            epsilon: configuration.normEpsilon)
        convOut = try Convolution(
            reader, "conv_out", from: ChannelLayout(channels), to: configuration.outChannels,
            algorithm: builder.algorithm(level: 0))
        timeProjection = builder.time.build(channels: timeChannels)
        resources = reader.resources
    }
}
