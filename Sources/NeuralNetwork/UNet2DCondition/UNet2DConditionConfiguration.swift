/// The architecture of a `UNet2DConditionModel`, as diffusers' `config.json` states it
/// (diffusers `models/unets/unet_2d_condition.py`; absent keys take diffusers' defaults, unknown keys are ignored as there).
public struct UNet2DConditionConfiguration: NetworkConfiguration {
    public static let className = "UNet2DConditionModel"

    public enum DownBlock: String, CaseIterable, Sendable {
        case plain = "DownBlock2D"
        case attention = "CrossAttnDownBlock2D"
    }

    public enum UpBlock: String, CaseIterable, Sendable {
        case plain = "UpBlock2D"
        case attention = "CrossAttnUpBlock2D"
    }

    public enum MidBlock: String, CaseIterable, Sendable {
        case plain = "UNetMidBlock2D"
        case attention = "UNetMidBlock2DCrossAttn"
    }

    /// Embeddings that are added to that of time beside the class's: a text's, and times or sizes (`addition_embed_type`
    /// "text_time").
    public struct TextAndTime: Sendable, Equatable {
        /// Channels of the sinusoids that each of `time_ids` becomes.
        public var timeChannels: Int
        /// Numbers that a row's text embedding and sinusoids come to.
        public var inputChannels: Int
    }

    public var inChannels = 4
    public var outChannels = 4
    /// Height and width the model was trained at, if stated.
    public var sampleSize: UNet2DConfiguration.ImageSize?
    public var centerInputSample = false
    public var frequencyShift = 0.0
    public var flipSinToCos = true
    public var downBlocks: [DownBlock] = [.attention, .attention, .attention, .plain]
    public var upBlocks: [UpBlock] = [.plain, .attention, .attention, .attention]
    public var midBlock: MidBlock? = .attention
    public var blockChannels = [320, 640, 1280, 1280]
    /// Of every level, as are the following.
    public var layersPerBlock: [Int]
    /// Transformer blocks behind each of a level's residual blocks, on the way down.
    public var downTransformerBlocks: [[Int]]
    /// The same on the way up, from the coarsest level.
    public var upTransformerBlocks: [[Int]]
    /// Heads of attention; diffusers calls them `attention_head_dim`.
    public var heads: [Int]
    public var contextChannels: [Int]
    public var onlyCrossAttention: [Bool]
    public var usesLinearProjection = false
    public var midBlockScaleFactor = 1.0
    public var downsamplePadding = 1
    public var activation = Activation.silu
    public var normGroups = 32
    public var normEpsilon = 1e-5
    public var timeScaleShift = TimeScaleShift.shift
    public var timeEmbeddingChannels = 1280
    public var classEmbedding = UNet2DConfiguration.ClassEmbedding.none
    public var textAndTime: TextAndTime?
    /// Numbers of each of the context's tokens before they are projected to `contextChannels`; nil for no projection.
    public var encodedContextChannels: Int?

    /// The number of times the resolution is halved.
    public var halvings: Int { blockChannels.count - 1 }
    /// Numbers of each token that a caller gives.
    public var inputContextChannels: Int { encodedContextChannels ?? contextChannels[0] }
    /// Whether any block reads the context.
    public var hasContext: Bool {
        downBlocks.contains(.attention) || upBlocks.contains(.attention) || midBlock == .attention
    }
}

extension UNet2DConditionConfiguration {
    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        try Self.refuse(reader)
        let range = 1...65_536
        blockChannels = try reader.integers("block_out_channels", in: range, count: 1...16) ?? blockChannels
        let levels = blockChannels.count
        layersPerBlock =
            try reader.integers(each: "layers_per_block", in: 1...64, count: levels)
            ?? Array(
                repeating: 2, count: levels)
        heads =
            try reader.integers(each: "attention_head_dim", in: range, count: levels)
            ?? Array(
                repeating: 8, count: levels)
        contextChannels =
            try reader.integers(each: "cross_attention_dim", in: range, count: levels)
            ?? Array(
                repeating: 1280, count: levels)
        onlyCrossAttention = try reader.flags(each: "only_cross_attention", count: levels)
        downTransformerBlocks = try reader.transformerBlocks("transformer_layers_per_block", layersPerBlock)
        upTransformerBlocks = try Self.upTransformerBlocks(reader, layersPerBlock)
        downBlocks = try reader.choices("down_block_types", former: "", DownBlock.self) ?? downBlocks
        upBlocks = try reader.choices("up_block_types", former: "", UpBlock.self) ?? upBlocks
        try reader.checkLevels(blockChannels, down: downBlocks.count, up: upBlocks.count)
        midBlock =
            reader.isNull("mid_block_type") ? nil : try reader.choice("mid_block_type", MidBlock.self) ?? midBlock

        inChannels = try reader.integer("in_channels", in: range) ?? inChannels
        outChannels = try reader.integer("out_channels", in: range) ?? outChannels
        sampleSize = try reader.imageSize("sample_size")
        centerInputSample = try reader.flag("center_input_sample") ?? centerInputSample
        flipSinToCos = try reader.flag("flip_sin_to_cos") ?? flipSinToCos
        frequencyShift = try reader.number("freq_shift", "a number") { abs($0) < 1e9 } ?? frequencyShift
        usesLinearProjection = try reader.flag("use_linear_projection") ?? usesLinearProjection
        downsamplePadding = try reader.integer("downsample_padding", in: 0...1) ?? downsamplePadding
        midBlockScaleFactor =
            try reader.number("mid_block_scale_factor", "a number that is not 0") { $0 != 0 } ?? midBlockScaleFactor
        activation = try reader.activation("act_fn") ?? activation
        if reader.isNull("norm_num_groups") {
            throw reader.unsupported("norm_num_groups", .null, supported: "a divisor of every level's channels")
        }
        normGroups = try reader.integer("norm_num_groups", in: range) ?? normGroups
        normEpsilon = try reader.number("norm_eps", "a number from 0 to 1") { $0 >= 0 && $0 <= 1 } ?? normEpsilon
        timeScaleShift = try reader.choice("resnet_time_scale_shift", TimeScaleShift.self) ?? timeScaleShift
        timeEmbeddingChannels = try reader.integer("time_embedding_dim", in: 1...1_000_000) ?? blockChannels[0] * 4
        try readEmbeddings(reader)
        try plan.checkGroups(reader)
        for (index, channels) in blockChannels.enumerated() where heads[index] > channels {
            throw reader.unsupported(
                "attention_head_dim", .integer(heads[index]), supported: "at most \(channels), the level's channels")
        }
        guard blockChannels[0] >= 2, Double(blockChannels[0] / 2) != frequencyShift else {
            throw reader.unsupported(
                "freq_shift", .number(frequencyShift),
                supported: "anything but half of the first of block_out_channels, which must be 2 or more")
        }
    }

    /// Refuses what is not offered; each of these keys would change what the network computes.
    private static func refuse(_ reader: ConfigurationReader) throws(CheckpointError) {
        for key in [
            "num_attention_heads", "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim",
            "cross_attention_norm",
        ] {
            if let value = reader.value(key) { throw reader.unsupported(key, value, supported: "null") }
        }
        for key in ["dual_cross_attention", "class_embeddings_concat"] {
            if try reader.flag(key) == true { throw reader.unsupported(key, .bool(true), supported: "false") }
        }
        for (key, only) in [("attention_type", "default"), ("time_embedding_type", "positional")] {
            if let value = reader.value(key), value.string != only {
                throw reader.unsupported(key, value, supported: only)
            }
        }
        for key in ["conv_in_kernel", "conv_out_kernel"] {
            if let value = reader.value(key), value.int != 3 { throw reader.unsupported(key, value, supported: "3") }
        }
    }

    private mutating func readEmbeddings(_ reader: ConfigurationReader) throws(CheckpointError) {
        let projected = try reader.integer("projection_class_embeddings_input_dim", in: 1...1_000_000)
        func required() throws(CheckpointError) -> Int {
            try reader.required(
                projected, "projection_class_embeddings_input_dim", "the number of numbers that are embedded")
        }
        switch reader.value("class_embed_type") {
        case nil:
            classEmbedding =
                try reader.integer("num_class_embeds", in: 1...10_000_000).map { .table(count: $0) } ?? .none
        case .string("timestep"): classEmbedding = .timestep
        case .string("identity"): classEmbedding = .identity
        case .string("projection"): classEmbedding = .projection(try required())
        case .string("simple_projection"): classEmbedding = .linear(try required())
        case .some(let other):
            throw reader.unsupported(
                "class_embed_type", other, supported: "null, timestep, identity, projection, simple_projection")
        }
        switch reader.value("addition_embed_type") {
        case nil: break
        case .string("text_time"):
            let channels = try reader.required(
                reader.integer("addition_time_embed_dim", in: 2...65_536), "addition_time_embed_dim",
                "the number of channels of each number's sinusoids")
            guard Double(channels / 2) != frequencyShift else {
                throw reader.unsupported(
                    "addition_time_embed_dim", .integer(channels), supported: "anything but twice freq_shift")
            }
            textAndTime = TextAndTime(timeChannels: channels, inputChannels: try required())
        case .some(let other):
            throw reader.unsupported("addition_embed_type", other, supported: "null, text_time")
        }
        if let type = reader.value("encoder_hid_dim_type"), type.string != "text_proj" {
            throw reader.unsupported("encoder_hid_dim_type", type, supported: "null, text_proj")
        }
        encodedContextChannels = try reader.integer("encoder_hid_dim", in: 1...65_536)
        if encodedContextChannels == nil, let type = reader.value("encoder_hid_dim_type") {
            throw reader.unsupported("encoder_hid_dim_type", type, supported: "null where encoder_hid_dim is null")
        }
        // All levels read the same tokens.
        if Set(contextChannels).count > 1 {
            throw reader.unsupported(
                "cross_attention_dim", .array(contextChannels.map(JSON.integer)),
                supported: "one number, or the same for every level")
        }
    }

    /// `reverse_transformer_layers_per_block`, or else those of the way down in reverse.
    private static func upTransformerBlocks(
        _ reader: ConfigurationReader, _ layers: [Int]
    ) throws(CheckpointError) -> [[Int]] {
        let upLayers = layers.reversed().map { $0 + 1 }
        if reader.value("reverse_transformer_layers_per_block") != nil {
            return try reader.transformerBlocks("reverse_transformer_layers_per_block", upLayers)
        }
        let key = "transformer_layers_per_block"
        guard let value = reader.value(key) else { return upLayers.map { Array(repeating: 1, count: $0) } }
        if value.array?.contains(where: { $0.array != nil }) ?? false {
            throw reader.unsupported(
                key, value, supported: "lists in the list where reverse_transformer_layers_per_block is given")
        }
        let counts = try reader.integers(each: key, in: 1...64, count: layers.count) ?? []
        return zip(counts.reversed(), upLayers).map { Array(repeating: $0, count: $1) }
    }

    /// Its blocks.
    var plan: BlockPlan {
        func attention(_ level: Int, _ blocks: Int, onlyCrossAttention: Bool) -> BlockPlan.Attention {
            .transformer(
                .init(
                    heads: heads[level], contextChannels: contextChannels[level], blocks: blocks,
                    isLinear: usesLinearProjection, onlyCrossAttention: onlyCrossAttention))
        }
        let last = blockChannels.count - 1
        return BlockPlan(
            blockChannels: blockChannels, size: sampleSize ?? .init(height: 64, width: 64),
            style: .init(
                groups: normGroups, epsilon: normEpsilon, activation: activation,
                timeChannels: timeEmbeddingChannels, timeScaleShift: timeScaleShift),
            downsamplePadding: downsamplePadding,
            down: downBlocks.enumerated().map { level, kind in
                .init(
                    residualBlocks: layersPerBlock[level],
                    attentions: kind == .plain
                        ? []
                        : downTransformerBlocks[level].map {
                            attention(level, $0, onlyCrossAttention: onlyCrossAttention[level])
                        })
            },
            middle: midBlock.map { kind in
                .init(
                    // The middle's transformer attends to itself also where the others don't.
                    attention: kind == .plain
                        ? nil : attention(last, downTransformerBlocks[last][0], onlyCrossAttention: false),
                    residualBlocks: kind == .plain ? 1 : 2, scaleFactor: midBlockScaleFactor)
            },
            up: upBlocks.enumerated().map { index, kind in
                .init(
                    residualBlocks: layersPerBlock[last - index] + 1,
                    attentions: kind == .plain
                        ? []
                        : upTransformerBlocks[index].map {
                            attention(last - index, $0, onlyCrossAttention: onlyCrossAttention[last - index])
                        })
            })
    }
}

extension ConfigurationReader {
    /// One integer for all of `count` levels, or a list of one for each; nil if absent.
    fileprivate func integers(
        each key: String, in range: ClosedRange<Int>, count: Int
    ) throws(CheckpointError) -> [Int]? {
        guard let value = value(key) else {
            if isNull(key) { throw unsupported(key, .null, supported: "an integer or a list of \(count)") }
            return nil
        }
        if value.array != nil { return try integers(key, in: range, count: count...count) }
        return try integer(key, in: range).map { Array(repeating: $0, count: count) }
    }

    /// One flag for all of `count` levels, or a list of one for each; false if absent.
    fileprivate func flags(each key: String, count: Int) throws(CheckpointError) -> [Bool] {
        guard let value = value(key), let items = value.array else {
            return Array(repeating: try flag(key) ?? false, count: count)
        }
        let flags = items.compactMap(\.bool)
        guard flags.count == count, items.count == count else {
            throw unsupported(key, value, supported: "true, false or a list of \(count) of them")
        }
        return flags
    }

    /// The transformer blocks behind every residual block of every level: one number for all, one for each level, or a
    /// list for a level.
    fileprivate func transformerBlocks(_ key: String, _ layers: [Int]) throws(CheckpointError) -> [[Int]] {
        guard let value = value(key) else { return layers.map { Array(repeating: 1, count: $0) } }
        let items = value.array ?? Array(repeating: value, count: layers.count)
        let supported = "integers from 1 to 64, one for each of \(layers.count) levels, or lists of one for each layer"
        guard items.count == layers.count else { throw unsupported(key, value, supported: supported) }
        var result: [[Int]] = []
        for (item, count) in zip(items, layers) {
            let numbers = item.array?.compactMap(\.int) ?? Array(repeating: item.int ?? 0, count: count)
            guard numbers.count == count, numbers.allSatisfy((1...64).contains) else {
                throw unsupported(key, value, supported: supported)
            }
            result.append(numbers)
        }
        return result
    }
}
