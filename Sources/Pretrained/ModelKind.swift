import NeuralNetwork

/// The architectures that a model folder can hold, by the `_class_name` of its `config.json`.
public enum ModelKind: Sendable {
    /// Images: `PretrainedModel`.
    case image
    /// Points of a mixture: `MixtureModel`.
    case mixture

    /// A folder that names another architecture, or none, is left to be judged by `PretrainedModel`.
    /// - Throws: `CheckpointError` if there is no readable `config.json`.
    public init(folder: String) throws(CheckpointError) {
        let file = PretrainedModel.networkFolder(in: folder) + "/config.json"
        let name = try ConfigurationReader(path: file).value("_class_name")?.string
        self = name == VelocityMLPConfiguration.className ? .mixture : .image
    }
}
