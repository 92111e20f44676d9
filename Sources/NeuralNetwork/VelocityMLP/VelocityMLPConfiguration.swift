/// The architecture of a ``VelocityMLP``, as its `config.json` states it.
public struct VelocityMLPConfiguration: Sendable, Equatable {
    /// Length of a state.
    public var dimension: Int
    /// Labels that the network has embeddings for, "no label" among them.
    public var labelCount: Int
    /// Of the time's sinusoids and of a label.
    public var embeddingChannels: Int
    /// Widths of the layers that see the state alone, and of those that see the conditioning alone.
    public var preprocessing: [Int]
    /// Widths of the layers that see both.
    public var postprocessing: [Int]
    public var activation = Activation.gelu

    public init(
        dimension: Int, labelCount: Int, embeddingChannels: Int, preprocessing: [Int], postprocessing: [Int],
        activation: Activation = .gelu
    ) {
        self.dimension = dimension
        self.labelCount = labelCount
        self.embeddingChannels = embeddingChannels
        self.preprocessing = preprocessing
        self.postprocessing = postprocessing
        self.activation = activation
    }

    /// What `config.json` calls this architecture.
    public static let className = "VelocityMLP"

    /// Reads a `config.json`.
    /// - Throws: ``CheckpointError`` naming the key, its value and what is supported.
    public init(path: String) throws(CheckpointError) {
        try self.init(ConfigurationReader(path: path))
    }

    /// Reads the text of a `config.json`; `file` is used in messages.
    /// - Throws: ``CheckpointError`` naming the key, its value and what is supported.
    public init(json: some Sequence<UInt8>, file: String) throws(CheckpointError) {
        try self.init(ConfigurationReader(text: json, file: file))
    }

    private init(_ reader: ConfigurationReader) throws(CheckpointError) {
        if let name = reader.value("_class_name"), name.string != Self.className {
            throw reader.unsupported("_class_name", name, supported: Self.className)
        }
        func required<Value>(_ value: Value?, _ key: String) throws(CheckpointError) -> Value {
            guard let value else {
                throw CheckpointError(
                    .unsupported, file: reader.file, subject: "key \(key)", "is missing; a \(Self.className) needs it")
            }
            return value
        }
        func widths(_ key: String) throws(CheckpointError) -> [Int] {
            let widths = try required(reader.integers(key, in: 1...65_536), key)
            guard (1...16).contains(widths.count) else {
                throw reader.unsupported(key, .array([]), supported: "from 1 to 16 layers")
            }
            return widths
        }
        dimension = try required(reader.integer("dimension", in: 1...65_536), "dimension")
        labelCount = try required(reader.integer("num_class_embeds", in: 1...10_000_000), "num_class_embeds")
        embeddingChannels = try required(reader.integer("embedding_dim", in: 2...65_536), "embedding_dim")
        guard embeddingChannels.isMultiple(of: 2) else {
            throw reader.unsupported("embedding_dim", .integer(embeddingChannels), supported: "an even number")
        }
        preprocessing = try widths("preprocessing")
        postprocessing = try widths("postprocessing")
        if let name = reader.value("act_fn") {
            guard let text = name.string, let activation = Activation(diffusersName: text) else {
                throw reader.unsupported("act_fn", name, supported: "silu, swish, mish, gelu, relu")
            }
            self.activation = activation
        }
    }
}
