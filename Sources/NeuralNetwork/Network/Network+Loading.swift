extension Network {
    /// Loads `config.json` and `diffusion_pytorch_model.safetensors` of a folder, as diffusers' `save_pretrained` writes them.
    /// - Throws: ``CheckpointError`` if a file is unreadable or unsound, the configuration is not supported, or the parameters
    ///   are not exactly those it asks for, all finite.
    public init(folder: String) throws(CheckpointError) {
        let separator = folder.hasSuffix("/") ? "" : "/"
        try self.init(
            configuration: Configuration(path: "\(folder)\(separator)config.json"),
            weights: SafetensorsFile(path: "\(folder)\(separator)diffusion_pytorch_model.safetensors"))
    }

    /// Builds the network that `configuration` describes with the parameters of `weights`.
    /// - Throws: ``CheckpointError`` if the parameters are not exactly those the configuration asks for, all finite.
    public init(configuration: Configuration, weights: SafetensorsFile) throws(CheckpointError) {
        try self.init(
            configuration, ParameterReader(file: weights, expecting: Self.parameters(of: configuration)))
    }

    /// The parameters that a configuration asks for, in the network's order: a dry run, without any weights.
    /// - Throws: ``CheckpointError`` as the network's own initialiser does.
    public static func parameters(of configuration: Configuration) throws(CheckpointError) -> [NetworkParameter] {
        let listing = ParameterReader()
        _ = try Self(configuration, listing)
        return listing.parameters
    }
}
