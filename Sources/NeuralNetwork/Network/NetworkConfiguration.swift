/// The architecture of a network, as its `config.json` states it.
public protocol NetworkConfiguration: Sendable, Equatable {
    /// What `config.json` calls the architecture, in `_class_name`.
    static var className: String { get }
    /// What the weights are called in a folder, without ".safetensors".
    static var weightsName: String { get }

    /// Takes what it needs from the file, whose `_class_name` has been checked.
    /// - Throws: ``CheckpointError`` naming the key, its value and what is supported.
    init(_ reader: ConfigurationReader) throws(CheckpointError)
}

extension NetworkConfiguration {
    /// As diffusers names them.
    public static var weightsName: String { "diffusion_pytorch_model" }

    /// Reads a `config.json`.
    /// - Throws: ``CheckpointError`` naming the key, its value and what is supported.
    public init(path: String) throws(CheckpointError) {
        try self.init(checking: ConfigurationReader(path: path))
    }

    /// Reads the text of a `config.json`; `file` is used in messages.
    /// - Throws: ``CheckpointError`` naming the key, its value and what is supported.
    public init(json: some Sequence<UInt8>, file: String) throws(CheckpointError) {
        try self.init(checking: ConfigurationReader(text: json, file: file))
    }

    private init(checking reader: ConfigurationReader) throws(CheckpointError) {
        // A file without a name is taken for what the caller asks for.
        if let name = reader.value("_class_name"), name.string != Self.className {
            throw reader.unsupported("_class_name", name, supported: Self.className)
        }
        try self.init(reader)
    }
}
