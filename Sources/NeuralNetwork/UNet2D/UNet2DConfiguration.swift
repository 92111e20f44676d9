/// The architecture of a `UNet2DModel`, as diffusers' `config.json` states it
/// (diffusers `models/unets/unet_2d.py`; absent keys take diffusers' defaults, unknown keys are ignored as there).
public struct UNet2DConfiguration: NetworkConfiguration {
    public static let className = "UNet2DModel"

    public enum DownBlock: String, CaseIterable, Sendable {
        case plain = "DownBlock2D"
        case attention = "AttnDownBlock2D"
        case residual = "ResnetDownsampleBlock2D"
    }

    public enum UpBlock: String, CaseIterable, Sendable {
        case plain = "UpBlock2D"
        case attention = "AttnUpBlock2D"
        case residual = "ResnetUpsampleBlock2D"
    }

    /// How blocks with attention change resolution (`downsample_type`, `upsample_type`).
    public enum Resampling: String, CaseIterable, Sendable { case conv, resnet }

    /// What the class input is.
    public enum ClassEmbedding: Sendable, Equatable {
        case none
        /// One of `count` learnt vectors (`num_class_embeds`).
        case table(count: Int)
        /// A number, embedded as time is (`class_embed_type` "timestep").
        case timestep
        /// A vector of ``UNet2DConfiguration/timeEmbeddingChannels`` numbers, added as it is ("identity").
        case identity
        /// A vector of so many numbers, through two layers as time's embedding (`UNet2DConditionModel`'s "projection").
        case projection(Int)
        /// A vector of so many numbers, through one layer (`UNet2DConditionModel`'s "simple_projection").
        case linear(Int)
    }

    public var inChannels = 3
    public var outChannels = 3
    /// Height and width the model was trained at, if stated.
    public var sampleSize: ImageSize?
    public var centerInputSample = false
    public var frequencyShift = 0.0
    public var flipSinToCos = true
    public var downBlocks: [DownBlock] = [.plain, .attention, .attention, .attention]
    public var upBlocks: [UpBlock] = [.attention, .attention, .attention, .plain]
    public var hasMidBlock = true
    public var hasMidAttention = true
    public var blockChannels = [224, 448, 672, 896]
    public var layersPerBlock = 2
    public var midBlockScaleFactor = 1.0
    public var downsamplePadding = 1
    public var downsampling = Resampling.conv
    public var upsampling = Resampling.conv
    public var activation = Activation.silu
    /// nil: one head.
    public var attentionHeadChannels: Int? = 8
    public var normGroups = 32
    public var attentionNormGroups: Int?
    public var normEpsilon = 1e-5
    public var timeScaleShift = TimeScaleShift.shift
    public var timeEmbeddingChannels = 896
    public var classEmbedding = ClassEmbedding.none

    /// The number of times the resolution is halved.
    public var halvings: Int { blockChannels.count - 1 }

    /// In pixels.
    public struct ImageSize: Sendable, Equatable {
        public var height: Int
        public var width: Int
        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }
}

extension UNet2DConfiguration {
    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        let channelRange = 1...65_536
        if let type = reader.value("time_embedding_type"), type.string != "positional" {
            throw reader.unsupported("time_embedding_type", type, supported: "positional")
        }
        if let type = reader.value("mid_block_type"), type.string != "UNetMidBlock2D" {
            throw reader.unsupported("mid_block_type", type, supported: "UNetMidBlock2D, null")
        }
        hasMidBlock = !reader.isNull("mid_block_type")

        inChannels = try reader.integer("in_channels", in: channelRange) ?? inChannels
        outChannels = try reader.integer("out_channels", in: channelRange) ?? outChannels
        centerInputSample = try reader.flag("center_input_sample") ?? centerInputSample
        flipSinToCos = try reader.flag("flip_sin_to_cos") ?? flipSinToCos
        hasMidAttention = try reader.flag("add_attention") ?? hasMidAttention
        layersPerBlock = try reader.integer("layers_per_block", in: 1...64) ?? layersPerBlock
        downsamplePadding = try reader.integer("downsample_padding", in: 0...1) ?? downsamplePadding
        downsampling = try reader.choice("downsample_type", Resampling.self) ?? downsampling
        upsampling = try reader.choice("upsample_type", Resampling.self) ?? upsampling
        timeScaleShift = try reader.choice("resnet_time_scale_shift", TimeScaleShift.self) ?? timeScaleShift
        normEpsilon = try reader.number("norm_eps", "a number from 0 to 1") { $0 >= 0 && $0 <= 1 } ?? normEpsilon
        midBlockScaleFactor =
            try reader.number("mid_block_scale_factor", "a number that is not 0") { $0 != 0 } ?? midBlockScaleFactor
        activation = try reader.activation("act_fn") ?? activation

        downBlocks = try reader.choices("down_block_types", former: "UNetRes", DownBlock.self) ?? downBlocks
        upBlocks = try reader.choices("up_block_types", former: "UNetRes", UpBlock.self) ?? upBlocks
        blockChannels =
            try reader.integers("block_out_channels", in: channelRange, count: 1...16) ?? blockChannels
        try reader.checkLevels(blockChannels, down: downBlocks.count, up: upBlocks.count)

        normGroups = try reader.integer("norm_num_groups", in: channelRange) ?? normGroups
        if reader.isNull("norm_num_groups") {
            throw reader.unsupported("norm_num_groups", .null, supported: "a divisor of every level's channels")
        }
        attentionNormGroups = try reader.integer("attn_norm_num_groups", in: channelRange)
        attentionHeadChannels =
            try reader.integer("attention_head_dim", in: channelRange)
            ?? (reader.isNull("attention_head_dim") ? nil : attentionHeadChannels)

        timeEmbeddingChannels = blockChannels[0] * 4
        if let channels = try reader.integer("time_embedding_dim", in: 0...1_000_000), channels > 0 {
            timeEmbeddingChannels = channels
        }
        frequencyShift = try reader.number("freq_shift", "a number") { abs($0) < 1e9 } ?? frequencyShift
        guard blockChannels[0] >= 2, Double(blockChannels[0] / 2) != frequencyShift else {
            throw reader.unsupported(
                "freq_shift", .number(frequencyShift),
                supported: "anything but half of the first of block_out_channels, which must be 2 or more")
        }

        let classes = try reader.integer("num_class_embeds", in: 1...10_000_000)
        switch reader.value("class_embed_type") {
        case nil: classEmbedding = classes.map { .table(count: $0) } ?? .none
        case .string("timestep"): classEmbedding = .timestep
        case .string("identity"): classEmbedding = .identity
        case .some(let other):
            throw reader.unsupported("class_embed_type", other, supported: "null, timestep, identity")
        }

        sampleSize = try reader.imageSize("sample_size")
        try plan.checkGroups(reader)
        try checkAttention(reader)
    }

    /// The middle's groups must divide its channels, and every width with attention hold at least one head.
    private func checkAttention(_ reader: ConfigurationReader) throws(CheckpointError) {
        let midChannels = blockChannels[blockChannels.count - 1]
        if let groups = attentionNormGroups, hasMidBlock, hasMidAttention, midChannels % groups != 0 {
            throw reader.unsupported(
                "attn_norm_num_groups", .integer(groups),
                supported: "a divisor of \(midChannels), the channels of the middle block")
        }
        if let head = attentionHeadChannels {
            var widths = zip(downBlocks, blockChannels).filter { $0.0 == .attention }.map(\.1)
            widths += zip(upBlocks, blockChannels.reversed()).filter { $0.0 == .attention }.map(\.1)
            if hasMidBlock && hasMidAttention { widths.append(midChannels) }
            if let least = widths.min(), head > least {
                throw reader.unsupported(
                    "attention_head_dim", .integer(head),
                    supported: "null, or at most \(least), the channels of a block with attention")
            }
        }
    }

    /// Its blocks.
    var plan: BlockPlan {
        let attention = BlockPlan.Attention.pixels(headChannels: attentionHeadChannels, groups: normGroups)
        func level(_ layers: Int, isPlain: Bool, byResidualBlock: Bool) -> BlockPlan.Level {
            .init(
                residualBlocks: layers, attentions: isPlain ? [] : Array(repeating: attention, count: layers),
                resamplesByResidualBlock: byResidualBlock)
        }
        let midGroups = attentionNormGroups ?? (timeScaleShift == .shift ? normGroups : nil)
        return BlockPlan(
            blockChannels: blockChannels, size: sampleSize ?? ImageSize(height: 32, width: 32),
            style: .init(
                groups: normGroups, epsilon: normEpsilon, activation: activation,
                timeChannels: timeEmbeddingChannels, timeScaleShift: timeScaleShift),
            downsamplePadding: downsamplePadding,
            down: downBlocks.map { kind in
                level(
                    layersPerBlock, isPlain: kind != .attention,
                    byResidualBlock: kind == .residual || (kind == .attention && downsampling == .resnet))
            },
            middle: hasMidBlock
                ? .init(
                    attention: hasMidAttention
                        ? .pixels(headChannels: attentionHeadChannels, groups: midGroups) : nil,
                    scaleFactor: midBlockScaleFactor) : nil,
            up: upBlocks.map { kind in
                level(
                    layersPerBlock + 1, isPlain: kind != .attention,
                    byResidualBlock: kind == .residual || (kind == .attention && upsampling == .resnet))
            })
    }
}

extension ConfigurationReader {
    /// Refuses numbers of blocks that are not one for every level.
    func checkLevels(_ blockChannels: [Int], down: Int, up: Int) throws(CheckpointError) {
        guard down == blockChannels.count, up == blockChannels.count else {
            throw CheckpointError(
                .unsupported, file: file, subject: "key block_out_channels",
                "has \(blockChannels.count) levels, but down_block_types has \(down) and up_block_types \(up); they must agree"
            )
        }
    }

    /// A side or [height, width]; nil if absent.
    func imageSize(_ key: String) throws(CheckpointError) -> UNet2DConfiguration.ImageSize? {
        guard let value = value(key) else { return nil }
        let range = 1...65_536
        if let side = value.int, range.contains(side) { return .init(height: side, width: side) }
        if let sides = value.array, sides.count == 2, let height = sides[0].int, let width = sides[1].int,
            range.contains(height), range.contains(width)
        {
            return .init(height: height, width: width)
        }
        throw unsupported(key, value, supported: "an integer or [height, width], from 1 to 65536, or null")
    }
}
