/// What the autoencoders of diffusers have in common, as their `config.json` states it.
public struct AutoencoderConfiguration: Sendable, Equatable {
    public enum DownBlock: String, CaseIterable, Sendable {
        case plain = "DownEncoderBlock2D"
        case attention = "AttnDownEncoderBlock2D"
    }

    public enum UpBlock: String, CaseIterable, Sendable {
        case plain = "UpDecoderBlock2D"
        case attention = "AttnUpDecoderBlock2D"
    }

    public var inChannels = 3
    public var outChannels = 3
    public var latentChannels: Int
    public var downBlocks: [DownBlock] = [.plain]
    public var upBlocks: [UpBlock] = [.plain]
    public var blockChannels = [64]
    public var layersPerBlock = 1
    public var activation = Activation.silu
    public var normGroups = 32
    public var hasMidAttention = true
    /// Height and width of the pictures that it was trained on, if stated.
    public var sampleSize: UNet2DConfiguration.ImageSize?
    /// A pipeline multiplies latents by this before they are diffused, and divides by it before they are decoded.
    public var scalingFactor = 0.18215

    /// Pixels for each pixel of a latent, in each direction.
    public var pixelsPerLatent: Int { 1 << (blockChannels.count - 1) }

    init(_ reader: ConfigurationReader, latentChannels: Int) throws(CheckpointError) {
        let range = 1...65_536
        self.latentChannels = try reader.integer("latent_channels", in: range) ?? latentChannels
        inChannels = try reader.integer("in_channels", in: range) ?? inChannels
        outChannels = try reader.integer("out_channels", in: range) ?? outChannels
        downBlocks = try reader.choices("down_block_types", former: "", DownBlock.self) ?? downBlocks
        upBlocks = try reader.choices("up_block_types", former: "", UpBlock.self) ?? upBlocks
        blockChannels = try reader.integers("block_out_channels", in: range, count: 1...16) ?? blockChannels
        try reader.checkLevels(blockChannels, down: downBlocks.count, up: upBlocks.count)
        layersPerBlock = try reader.integer("layers_per_block", in: 1...64) ?? layersPerBlock
        activation = try reader.activation("act_fn") ?? activation
        normGroups = try reader.integer("norm_num_groups", in: range) ?? normGroups
        hasMidAttention = try reader.flag("mid_block_add_attention") ?? hasMidAttention
        sampleSize = try reader.imageSize("sample_size")
        scalingFactor =
            try reader.number("scaling_factor", "a number that is not 0") { $0 != 0 } ?? scalingFactor
        try plan("").checkGroups(reader)
    }

    /// The blocks of one half.
    func plan(_ prefix: String) -> BlockPlan {
        let attention = BlockPlan.Attention.pixels(headChannels: nil, groups: normGroups)
        func level(_ layers: Int, hasAttention: Bool) -> BlockPlan.Level {
            .init(residualBlocks: layers, attentions: hasAttention ? Array(repeating: attention, count: layers) : [])
        }
        return BlockPlan(
            prefix: prefix, blockChannels: blockChannels, size: sampleSize ?? .init(height: 256, width: 256),
            style: .init(
                groups: normGroups, epsilon: 1e-6, activation: activation, timeChannels: nil, timeScaleShift: .shift),
            // A row below and a column on the right.
            downsamplePadding: 0, down: downBlocks.map { level(layersPerBlock, hasAttention: $0 == .attention) },
            middle: .init(attention: hasMidAttention ? attention : nil),
            up: upBlocks.map { level(layersPerBlock + 1, hasAttention: $0 == .attention) }, hasSkips: false)
    }
}

/// The architecture of an `AutoencoderKL` (diffusers `models/autoencoders/autoencoder_kl.py`).
public struct AutoencoderKLConfiguration: NetworkConfiguration {
    public static let className = "AutoencoderKL"

    public var base: AutoencoderConfiguration
    /// Whether a 1×1 convolution follows the encoder, and one precedes the decoder.
    public var hasQuantConvolution = true
    public var hasPostQuantConvolution = true
    /// A pipeline subtracts this from latents before it scales them.
    public var shiftFactor = 0.0
    /// Means and standard deviations of the latents' channels, where the file states them.
    public var latentMeans: [Double]?
    public var latentDeviations: [Double]?

    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        base = try AutoencoderConfiguration(reader, latentChannels: 4)
        hasQuantConvolution = try reader.flag("use_quant_conv") ?? true
        hasPostQuantConvolution = try reader.flag("use_post_quant_conv") ?? true
        shiftFactor = try reader.number("shift_factor", "a number or null") { _ in true } ?? 0
        func channels(_ key: String, _ isSound: (Double) -> Bool) throws(CheckpointError) -> [Double]? {
            guard let value = reader.value(key) else { return nil }
            let numbers = value.array?.compactMap(\.double) ?? []
            guard numbers.count == base.latentChannels, numbers.allSatisfy({ $0.isFinite && isSound($0) }) else {
                throw reader.unsupported(key, value, supported: "\(base.latentChannels) numbers or null")
            }
            return numbers
        }
        latentMeans = try channels("latents_mean") { _ in true }
        latentDeviations = try channels("latents_std") { $0 > 0 }
    }
}

/// The architecture of a `VQModel` (diffusers `models/autoencoders/vq_model.py`).
public struct VQModelConfiguration: NetworkConfiguration {
    public static let className = "VQModel"

    public var base: AutoencoderConfiguration
    /// Vectors of the codebook, and numbers of each.
    public var codes = 256
    public var codeChannels: Int

    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        base = try AutoencoderConfiguration(reader, latentChannels: 3)
        if let type = reader.value("norm_type"), type.string != "group" {
            throw reader.unsupported("norm_type", type, supported: "group")
        }
        if let lookup = reader.value("lookup_from_codebook"), lookup.bool != false {
            throw reader.unsupported("lookup_from_codebook", lookup, supported: "false")
        }
        codes = try reader.integer("num_vq_embeddings", in: 1...10_000_000) ?? codes
        codeChannels = try reader.integer("vq_embed_dim", in: 1...65_536) ?? base.latentChannels
    }
}
