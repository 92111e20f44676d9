extension Network {
    /// Loads `config.json` and the weights of a folder, as diffusers' `save_pretrained` writes them: in one safetensors file
    /// or in shards, in full precision or in half.
    /// - Throws: ``CheckpointError`` if a file is unreadable or unsound, the configuration is not supported, or the parameters
    ///   are not exactly those it asks for, all finite.
    public init(folder: String) throws(CheckpointError) { try self.init(folder: folder, precision: .f32) }

    /// The same with large products of another precision, whatever that of the files.
    public init(folder: String, precision: Precision) throws(CheckpointError) {
        let separator = folder.hasSuffix("/") ? "" : "/"
        try self.init(
            configuration: Configuration(path: "\(folder)\(separator)config.json"),
            weights: NetworkWeights(folder: folder, name: Configuration.weightsName), precision: precision)
    }

    /// Builds the network that `configuration` describes with the parameters of `weights`.
    /// - Throws: ``CheckpointError`` if the parameters are not exactly those the configuration asks for, all finite.
    public init(
        configuration: Configuration, weights: SafetensorsFile, precision: Precision = .f32
    ) throws(CheckpointError) {
        try self.init(configuration: configuration, weights: NetworkWeights(weights), precision: precision)
    }

    /// Builds the network that `configuration` describes with the parameters of `weights`, which may be part of a file or in
    /// several.
    /// - Throws: ``CheckpointError`` if the parameters are not exactly those the configuration asks for, all finite.
    public init(
        configuration: Configuration, weights: NetworkWeights, precision: Precision = .f32
    ) throws(CheckpointError) {
        try self.init(
            configuration,
            ParameterReader(weights: weights, expecting: Self.parameters(of: configuration), precision: precision))
    }

    /// The parameters that a configuration asks for, in the network's order: a dry run, without any weights.
    /// - Throws: ``CheckpointError`` as the network's own initialiser does.
    public static func parameters(of configuration: Configuration) throws(CheckpointError) -> [NetworkParameter] {
        let listing = ParameterReader()
        _ = try Self(configuration, listing)
        return listing.parameters
    }
}
