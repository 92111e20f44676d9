/// A `UNet2DModel` of diffusers, for inference on the CPU in single precision. Immutable, to be shared freely.
///
/// Rows of a batch do not touch each other: a row's output is the same, bit for bit, whatever stands beside it, wherever it
/// stands, and whatever the number of threads.
public struct UNet2D: Sendable {
    public let configuration: UNet2DConfiguration
    /// Every parameter with its key and shape as the checkpoint holds it, in the network's order.
    public let parameters: [NetworkParameter]

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
    let workspaces = WorkspacePool()

    enum ClassEmbedding: Sendable {
        case none
        case table(FloatStorage)  // class_embedding.weight
        case timestep(TimestepEmbedding)
        case identity
    }

    /// Loads `config.json` and `diffusion_pytorch_model.safetensors` of a folder as diffusers' `save_pretrained` writes it.
    /// - Throws: ``CheckpointError`` if a file is unreadable or unsound, the configuration is not supported, or the parameters
    ///   are not exactly those it asks for, all finite.
    public init(folder: String) throws(CheckpointError) {
        let separator = folder.hasSuffix("/") ? "" : "/"
        try self.init(
            configuration: UNet2DConfiguration(path: "\(folder)\(separator)config.json"),
            weights: SafetensorsFile(path: "\(folder)\(separator)diffusion_pytorch_model.safetensors"))
    }

    /// Builds the network that `configuration` describes with the parameters of `weights`.
    /// - Throws: ``CheckpointError`` if the parameters are not exactly those the configuration asks for, all finite.
    public init(configuration: UNet2DConfiguration, weights: SafetensorsFile) throws(CheckpointError) {
        let listing = ParameterReader()
        _ = try UNet2D(configuration, listing)
        try self.init(configuration, ParameterReader(file: weights, expecting: listing.parameters), weights)
    }

    /// The parameters that a configuration asks for, by name and shape.
    package static func parameters(
        of configuration: UNet2DConfiguration
    ) throws(CheckpointError) -> [(name: String, shape: [Int])] {
        let listing = ParameterReader()
        _ = try UNet2D(configuration, listing)
        return listing.parameters.map { ($0.name, $0.shape) }
    }

    private init(
        _ configuration: UNet2DConfiguration, _ reader: ParameterReader, _ file: SafetensorsFile? = nil
    ) throws(CheckpointError) {
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
        parameters = reader.networkParameters
    }

    /// The number of weights.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
}
