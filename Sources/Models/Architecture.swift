import Foundation
import NeuralNetwork

/// The kinds of network that a model folder can hold, by `_class_name` of its `config.json`.
public enum Architecture: String, Sendable {
    /// An image model.
    case unet2D = "UNet2DModel"
    /// A robot policy.
    case policy = "ConditionalUnet1D"
    /// Points of a Gaussian mixture.
    case mixture = "VelocityMLP"

    /// What a model folder says it holds. Any other name counts as an image model, whose reader then refuses it.
    /// - Throws: `CheckpointError` if `config.json` cannot be read.
    public init(folder: String) throws {
        let path = URL(fileURLWithPath: PretrainedModel.networkFolder(in: folder)).appendingPathComponent("config.json")
            .path
        let name = try ConfigurationReader(path: path).value("_class_name")?.string
        self = name.flatMap(Architecture.init) ?? .unet2D
    }

    /// Refuses a folder that holds another kind of network.
    func require(folder: String) throws {
        let found = try Architecture(folder: folder)
        guard found != self else { return }
        throw ModelError(
            folder + "/config.json", key: "_class_name", expected: rawValue, found: "\(found.rawValue), \(found.words)",
            remedy: found.remedy)
    }

    private var words: String {
        switch self {
        case .unet2D: "an image model"
        case .policy: "a robot policy, which plans actions from observations"
        case .mixture: "a network for points of a mixture"
        }
    }

    private var remedy: String {
        switch self {
        case .unet2D: "run it with diffspec sample"
        case .policy: "run it with diffspec policy"
        case .mixture: "run it with diffspec mixture"
        }
    }
}
