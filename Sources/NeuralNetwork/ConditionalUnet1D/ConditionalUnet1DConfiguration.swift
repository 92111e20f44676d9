/// The architecture of a `ConditionalUnet1D` (Chi et al., "Diffusion Policy", RSS 2023), as its `config.json` states it under
/// the names of the arguments of the public implementation; absent keys take that implementation's defaults.
public struct ConditionalUnet1DConfiguration: NetworkConfiguration {
    public static let className = "ConditionalUnet1D"

    /// `D`, the numbers of one action.
    public var inputDimension: Int
    /// Numbers of the condition that all positions share, 0 for none.
    public var conditionDimension = 0
    /// Numbers of the embedding of the diffusion step, an even number from 4 on.
    public var stepEmbeddingChannels = 256
    /// Channels of every level; each level but the first has half the positions of the one before.
    public var downChannels = [256, 512, 1024]
    /// An odd number.
    public var kernelSize = 3
    public var normGroups = 8
    /// Whether the condition scales the features as well as shifting them (FiLM).
    public var predictsScale = false
    /// `T`, the actions of a sequence, if stated.
    public var horizon: Int?

    /// The public implementation normalises the last block in eight groups, whatever `n_groups` is.
    public static let finalNormGroups = 8
    /// No horizon is longer: memory goes with it, which nothing in the file of weights bounds.
    public static let longestHorizon = 4096

    /// The number of times the positions are halved.
    public var halvings: Int { downChannels.count - 1 }

    /// Length of what every residual block is conditioned on: the embedded step, then the condition.
    var featureDimension: Int { stepEmbeddingChannels + conditionDimension }
}

extension ConditionalUnet1DConfiguration {
    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        let channelRange = 1...65_536
        inputDimension = try reader.required(
            reader.integer("input_dim", in: channelRange), "input_dim", "the numbers of one action")
        conditionDimension = try reader.integer("global_cond_dim", in: 0...1_000_000) ?? conditionDimension
        if let local = try reader.integer("local_cond_dim", in: 0...1_000_000), local > 0 {
            throw reader.unsupported(
                "local_cond_dim", .integer(local), supported: "null: conditions that all positions share")
        }
        stepEmbeddingChannels = try reader.integer("diffusion_step_embed_dim", in: 4...65_536) ?? stepEmbeddingChannels
        guard stepEmbeddingChannels % 2 == 0 else {
            throw reader.unsupported(
                "diffusion_step_embed_dim", .integer(stepEmbeddingChannels), supported: "an even number from 4 to 65536"
            )
        }
        downChannels = try reader.integers("down_dims", in: channelRange, count: 1...16) ?? downChannels
        kernelSize = try reader.integer("kernel_size", in: 1...255) ?? kernelSize
        guard kernelSize % 2 == 1 else {
            throw reader.unsupported("kernel_size", .integer(kernelSize), supported: "an odd number from 1 to 255")
        }
        normGroups = try reader.integer("n_groups", in: channelRange) ?? normGroups
        for channels in downChannels where channels % normGroups != 0 {
            throw reader.unsupported(
                "n_groups", .integer(normGroups), supported: "a common divisor of down_dims, \(downChannels)")
        }
        guard downChannels[0] % Self.finalNormGroups == 0 else {
            throw reader.unsupported(
                "down_dims", .array(downChannels.map { .integer($0) }),
                supported:
                    "a first level of a multiple of \(Self.finalNormGroups) channels, which the last block normalises in \(Self.finalNormGroups) groups"
            )
        }
        predictsScale = try reader.flag("cond_predict_scale") ?? predictsScale
        horizon = try reader.integer("horizon", in: 1...Self.longestHorizon)
        if let horizon, horizon % (1 << halvings) != 0 {
            throw reader.unsupported(
                "horizon", .integer(horizon),
                supported: "a multiple of \(1 << halvings), for down_dims halves it \(halvings) times")
        }
    }
}
