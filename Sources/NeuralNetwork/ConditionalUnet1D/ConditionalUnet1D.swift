/// The network of a diffusion policy (Chi et al., "Diffusion Policy", RSS 2023), a U-Net over the positions of a sequence of
/// actions, for inference on the CPU. Immutable, to be shared freely.
///
/// Rows of a batch do not touch each other: a row's output is the same, bit for bit, whatever stands beside it, wherever it
/// stands, and whatever the number of threads.
public struct ConditionalUnet1D: Network {
    public let configuration: ConditionalUnet1DConfiguration
    public let resources: NetworkResources

    let sinusoid: SinusoidalEmbedding  // diffusion_step_encoder.0
    let stepEncoder: TimestepEmbedding  // diffusion_step_encoder.1, .3
    /// `cond_encoder.1` of all residual blocks.
    let featureProjection: TimeProjection
    let downLevels: [DownLevel]  // down_modules
    let middle: [ConditionalResidualBlock1D]  // mid_modules
    let upLevels: [UpLevel]  // up_modules
    let finalBlock: SequenceBlock  // final_conv.0
    let finalConvolution: SequenceConvolution  // final_conv.1

    struct DownLevel: Sendable {
        let first: ConditionalResidualBlock1D  // 0
        let second: ConditionalResidualBlock1D  // 1
        let halving: SequenceConvolution?  // 2.conv
    }

    /// Reads the level below beside what the way down left at the same resolution.
    struct UpLevel: Sendable {
        let first: ConditionalResidualBlock1D  // 0
        let second: ConditionalResidualBlock1D  // 1
        let doubling: SequenceConvolution  // 2.conv
    }

    public init(_ configuration: ConditionalUnet1DConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        let channels = configuration.downChannels
        let embedding = configuration.stepEmbeddingChannels
        var features = TimeProjectionBuilder()
        func block(_ key: String, from inputs: ChannelLayout, to outputs: Int) throws(CheckpointError)
            -> ConditionalResidualBlock1D
        {
            try ConditionalResidualBlock1D(reader, key, from: inputs, to: outputs, configuration, features: &features)
        }

        sinusoid = SinusoidalEmbedding(policyChannels: embedding)
        stepEncoder = try TimestepEmbedding(
            reader, keys: ("diffusion_step_encoder.1", "diffusion_step_encoder.3"), from: embedding,
            through: 4 * embedding,
            to: embedding, .mish)

        var downLevels: [DownLevel] = []
        var inputs = configuration.inputDimension
        for (level, width) in channels.enumerated() {
            let key = "down_modules.\(level)"
            downLevels.append(
                DownLevel(
                    first: try block("\(key).0", from: ChannelLayout(inputs), to: width),
                    second: try block("\(key).1", from: ChannelLayout(width), to: width),
                    halving: level == configuration.halvings
                        ? nil
                        : try SequenceConvolution(
                            reader, "\(key).2.conv", from: ChannelLayout(width), to: width, .halving)))
            inputs = width
        }
        self.downLevels = downLevels

        let middleLayout = ChannelLayout(inputs)
        middle = [
            try block("mid_modules.0", from: middleLayout, to: inputs),
            try block("mid_modules.1", from: middleLayout, to: inputs),
        ]

        var upLevels: [UpLevel] = []
        for (index, level) in (1..<max(1, channels.count)).reversed().enumerated() {
            let key = "up_modules.\(index)"
            let (width, narrower) = (channels[level], channels[level - 1])
            upLevels.append(
                UpLevel(
                    first: try block("\(key).0", from: ChannelLayout(width, width), to: narrower),
                    second: try block("\(key).1", from: ChannelLayout(narrower), to: narrower),
                    doubling: try SequenceConvolution(
                        reader, "\(key).2.conv", from: ChannelLayout(narrower), to: narrower, .doubling)))
        }
        self.upLevels = upLevels

        let layout = ChannelLayout(channels[0])
        finalBlock = try SequenceBlock(
            reader, "final_conv.0", from: layout, to: channels[0], kernel: configuration.kernelSize,
            groups: ConditionalUnet1DConfiguration.finalNormGroups)
        finalConvolution = try SequenceConvolution(
            reader, "final_conv.1", from: layout, to: configuration.inputDimension, .same(kernel: 1))
        featureProjection = features.build(channels: configuration.featureDimension)
        resources = reader.resources
    }
}
