/// The network of DB25, App. I.2, for low-dimensional data: a prediction from a state, a time and a label.
///
/// The time's sinusoids go through one layer and stand beside the label's embedding: the conditioning. It and the state
/// each go through layers of their own, then both together through more, and a last linear one. An activation between all
/// layers, no normalisation. `weights/training/train_velocity_mlp.py` makes such folders.
///
/// As in ``UNet2D``, a row's output is the same, bit for bit, whatever stands beside it.
public struct VelocityMLP: Sendable {
    public let configuration: VelocityMLPConfiguration
    /// Every parameter with its key and shape as the checkpoint holds it, in the network's order.
    public let parameters: [NetworkParameter]

    let sinusoid: SinusoidalEmbedding
    let timeLayers: [Linear]  // time_layers
    let labels: FloatStorage  // class_embedding.weight
    let stateLayers: [Linear]  // state_layers
    let conditionLayers: [Linear]  // condition_layers
    let jointLayers: [Linear]  // joint_layers
    let output: Linear  // output
    let workspaces = WorkspacePool()

    /// Loads `config.json` and `diffusion_pytorch_model.safetensors` of a folder.
    /// - Throws: ``CheckpointError`` if a file is unreadable or unsound, the configuration is not supported, or the parameters
    ///   are not exactly those it asks for, all finite.
    public init(folder: String) throws(CheckpointError) {
        let separator = folder.hasSuffix("/") ? "" : "/"
        try self.init(
            configuration: VelocityMLPConfiguration(path: "\(folder)\(separator)config.json"),
            weights: SafetensorsFile(path: "\(folder)\(separator)diffusion_pytorch_model.safetensors"))
    }

    /// Builds the network that `configuration` describes with the parameters of `weights`.
    /// - Throws: ``CheckpointError`` if the parameters are not exactly those the configuration asks for, all finite.
    public init(configuration: VelocityMLPConfiguration, weights: SafetensorsFile) throws(CheckpointError) {
        let listing = ParameterReader()
        _ = try VelocityMLP(configuration, listing)
        try self.init(configuration, ParameterReader(file: weights, expecting: listing.parameters))
    }

    private init(_ configuration: VelocityMLPConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        func stack(_ key: String, from inputs: ChannelLayout, _ widths: [Int]) throws(CheckpointError) -> [Linear] {
            var layers: [Linear] = []
            var inputs = inputs
            for (index, width) in widths.enumerated() {
                layers.append(try Linear(reader, "\(key).\(index)", from: inputs, to: width))
                inputs = ChannelLayout(width)
            }
            return layers
        }
        let channels = configuration.embeddingChannels
        let inner = configuration.preprocessing[configuration.preprocessing.count - 1]
        sinusoid = SinusoidalEmbedding(channels: channels, flipSinToCos: true, frequencyShift: 0)
        timeLayers = try stack("time_layers", from: ChannelLayout(channels), [channels])
        let table = try reader.read("class_embedding.weight", [configuration.labelCount, channels])
        labels = FloatStorage(table, count: table.count)
        stateLayers = try stack(
            "state_layers", from: ChannelLayout(configuration.dimension), configuration.preprocessing)
        conditionLayers = try stack(
            "condition_layers", from: ChannelLayout(channels, channels), configuration.preprocessing)
        jointLayers = try stack("joint_layers", from: ChannelLayout(inner, inner), configuration.postprocessing)
        output = try Linear(
            reader, "output", from: configuration.postprocessing[configuration.postprocessing.count - 1],
            to: configuration.dimension)
        parameters = reader.parameters.map { parameter in
            NetworkParameter(
                name: parameter.name, shape: parameter.shape, dtype: reader.dtype(of: parameter.name) ?? "F32")
        }
    }

    /// The number of weights.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

    /// Floating-point operations a row: two for every multiplication of a layer.
    public var floatingPointOperations: Double {
        let layers: [Linear] = timeLayers + stateLayers + conditionLayers + jointLayers + [output]
        return layers.reduce(0.0) { $0 + $1.operations }
    }
}
