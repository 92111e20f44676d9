import ArgumentParser
import Foundation
import NeuralNetwork
import Models

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what is in a model folder, and check it.",
        discussion:
            "Reads every tensor: names, shapes and types against the architecture, and that all numbers are finite.")

    @Argument(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let folder = try BundledModels.folder(model)
        let networkFolder = PretrainedModel.networkFolder(in: folder)
        if try Architecture(folder: folder) == .mixture {
            return try MixtureInspection(model: model, folder: folder).show(json: json)
        }
        let inspection =
            switch try Architecture(folder: folder) {
            case .unet2D, .mixture: Inspection(model, folder: folder, network: try UNet2D(folder: networkFolder))
            case .policy: Inspection(model, folder: folder, network: try ConditionalUnet1D(folder: networkFolder))
            }
        print(json ? try inspection.jsonText() : inspection.text)
    }
}
