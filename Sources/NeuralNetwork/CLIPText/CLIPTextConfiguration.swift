/// The architecture of transformers' `CLIPTextModel` and `CLIPTextModelWithProjection`, as their `config.json` states it.
public struct CLIPTextConfiguration: NetworkConfiguration {
    public static let className = "CLIPTextModel"
    public static let weightsName = "model"
    /// What `config.json` lists as its architecture where the pooled text is projected.
    public static let projectedName = "CLIPTextModelWithProjection"

    public var vocabularySize = 49_408
    public var channels = 512
    public var hiddenChannels = 2048
    public var layers = 12
    public var heads = 8
    /// The most tokens of a text.
    public var positions = 77
    public var activation = Activation.quickGELU
    public var normEpsilon = 1e-5
    /// The token whose place is pooled; 2 stands for the largest token, as old files have it.
    public var endToken = 49_407
    /// Numbers of the projected pooled text; nil without a projection.
    public var projectionChannels: Int?

    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        let range = 1...65_536
        let names = reader.value("architectures")?.array?.compactMap(\.string) ?? []
        let known = [Self.className, Self.projectedName]
        guard let name = names.first, known.contains(name) else {
            throw reader.unsupported(
                "architectures", reader.value("architectures") ?? .null, supported: known.joined(separator: ", "))
        }
        vocabularySize = try reader.integer("vocab_size", in: 1...10_000_000) ?? vocabularySize
        channels = try reader.integer("hidden_size", in: range) ?? channels
        hiddenChannels = try reader.integer("intermediate_size", in: range) ?? hiddenChannels
        layers = try reader.integer("num_hidden_layers", in: 1...1000) ?? layers
        heads = try reader.integer("num_attention_heads", in: range) ?? heads
        positions = try reader.integer("max_position_embeddings", in: range) ?? positions
        normEpsilon =
            try reader.number("layer_norm_eps", "a number from 0 to 1") { $0 >= 0 && $0 <= 1 } ?? normEpsilon
        endToken = try reader.integer("eos_token_id", in: 0...10_000_000) ?? endToken
        if let value = reader.value("hidden_act") {
            let supported: [Activation] = [.quickGELU, .gelu, .relu, .silu]
            guard let name = value.string, let activation = Activation(rawValue: name), supported.contains(activation)
            else {
                throw reader.unsupported("hidden_act", value, supported: "quick_gelu, gelu, relu, silu")
            }
            self.activation = activation
        }
        if name == Self.projectedName { projectionChannels = try reader.integer("projection_dim", in: range) ?? 512 }
        guard channels % heads == 0 else {
            throw reader.unsupported(
                "num_attention_heads", .integer(heads), supported: "a divisor of hidden_size, \(channels)")
        }
    }
}
