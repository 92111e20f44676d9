/// The architecture of a ``VelocityMLP``, as its `config.json` states it.
public struct VelocityMLPConfiguration: NetworkConfiguration {
    public static let className = "VelocityMLP"

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

    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        func integer(_ key: String, in range: ClosedRange<Int>, _ meaning: String) throws(CheckpointError) -> Int {
            try reader.required(reader.integer(key, in: range), key, meaning)
        }
        func widths(_ key: String) throws(CheckpointError) -> [Int] {
            try reader.required(reader.integers(key, in: 1...65_536, count: 1...16), key, "the widths of the layers")
        }
        dimension = try integer("dimension", in: 1...65_536, "the length of a state")
        labelCount = try integer("num_class_embeds", in: 1...10_000_000, "the number of labels")
        embeddingChannels = try integer("embedding_dim", in: 2...65_536, "the length of the embeddings")
        guard embeddingChannels.isMultiple(of: 2) else {
            throw reader.unsupported("embedding_dim", .integer(embeddingChannels), supported: "an even number")
        }
        preprocessing = try widths("preprocessing")
        postprocessing = try widths("postprocessing")
        activation = try reader.activation("act_fn") ?? activation
    }
}
