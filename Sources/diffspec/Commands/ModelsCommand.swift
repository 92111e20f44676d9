import ArgumentParser
import NeuralNetwork
import Pretrained

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List the bundled models.",
        discussion: "Image models go to --model and --draft-model of diffspec sample and others, policies to diffspec policy.")

    func run() throws {
        let names = BundledModels.names
        guard !names.isEmpty else {
            throw ModelError(
                "weights", expected: "the folder of bundled models", found: "none above the program",
                remedy: "set \(BundledModels.environmentVariable) to it")
        }
        for name in names {
            print("\(name)  \(try Self.description(name))")
        }
    }

    private static func description(_ name: String) throws -> String {
        let folder = try BundledModels.folder(name)
        switch try Architecture(folder: folder) {
        case .unet2D:
            let model = try PretrainedModel(folder: folder)
            let mark = name == BundledModels.defaultModel ? "  (default)" : ""
            return "\(model.network.configuration.inChannels)×\(model.process.height)×\(model.process.width), "
                + "\(model.classCount) classes, \(model.network.parameterCount) parameters, "
                + "\(model.process.scheduleName) schedule\(mark)"
        case .policy:
            let model = try PolicyModel(folder: folder)
            return "policy, \(model.horizon) actions of \(model.actionDimension) from \(model.observationSteps) states of "
                + "\(model.observationDimension), \(model.network.parameterCount) parameters, \(model.noise.scheduleName) schedule"
        }
    }
}
