import ArgumentParser
import NeuralNetwork
import Pretrained

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
            let folder = try BundledModels.folder(name)
            if try ModelKind(folder: folder) == .mixture {
                let model = try MixtureModel(folder: folder)
                print(
                    "\(name)  mixture of \(model.mixture.components.count) in dimension \(model.dimension), "
                        + "\(model.network.parameterCount) parameters (for diffspec mixture)")
                continue
            }
            let model = try PretrainedModel(folder: folder)
            let configuration = model.network.configuration
            let mark = name == BundledModels.defaultModel ? "  (default)" : ""
            print(
                "\(name)  \(configuration.inChannels)×\(model.process.height)×\(model.process.width), "
                    + "\(model.classCount) classes, \(model.network.parameterCount) parameters, "
                    + "\(model.process.scheduleName) schedule\(mark)")
        }
    }
}
