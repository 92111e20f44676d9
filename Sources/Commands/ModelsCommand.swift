import ArgumentParser
import NeuralNetwork
import Models

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List the bundled models.",
        discussion: "Any of the names can be given to --model and --draft-model of the command that samples its kind.")

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
            if CorrectionNetwork.isOne(folder: folder) {
                return "\(try UNet2D(folder: folder).parameterCount) parameters, for --draft corrected"
            }
            let model = try PretrainedModel(folder: folder)
            let mark = name == BundledModels.defaultModel ? "  (default)" : ""
            return "\(model.network.configuration.inChannels)×\(model.process.height)×\(model.process.width), "
                + "\(model.classCount) classes, \(model.network.parameterCount) parameters, "
                + "\(model.process.scheduleName) schedule\(mark)"
        case .mixture:
            let model = try MixtureModel(folder: folder)
            return "mixture of \(model.mixture.components.count) in dimension \(model.dimension), "
                + "\(model.network.parameterCount) parameters (for diffspec mixture)"
        case .policy:
            let model = try PolicyModel(folder: folder)
            return
                "policy, \(model.horizon) actions of \(model.actionDimension) from \(model.observationSteps) states of "
                + "\(model.observationDimension), \(model.network.parameterCount) parameters, \(model.noise.scheduleName) schedule"
        }
    }
}
