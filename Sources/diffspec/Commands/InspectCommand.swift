import ArgumentParser
import Foundation
import NeuralNetwork
import Pretrained

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what is in a model folder, and check it.",
        discussion: "Reads every tensor: names, shapes and types against the architecture, and that all numbers are finite.")

    @Argument(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model: String

    @Flag(help: "Print JSON.")
    var json = false

    struct Inspection: Encodable {
        struct Tensor: Encodable {
            let name: String
            let shape: [Int]
            let dtype: String
        }
        let model: String
        let architecture: String
        let down_blocks: [String]
        let up_blocks: [String]
        let channels: [Int]
        let image: [Int]
        let classes: Int
        let parameters: Int
        let flops_per_row: Int
        let schedule: String
        let prediction: String
        let kernels: String
        let openblas_core: String
        let checked_tensors: Int
        let tensors: [Tensor]
    }

    func run() throws {
        let folder = try BundledModels.folder(model)
        let pretrained = try PretrainedModel(folder: folder)
        let (network, process) = (pretrained.network, pretrained.process)
        let configuration = network.configuration
        let inspection = Inspection(
            model: model, architecture: "UNet2DModel", down_blocks: configuration.downBlocks.map(\.rawValue),
            up_blocks: configuration.upBlocks.map(\.rawValue), channels: configuration.blockChannels,
            image: [configuration.inChannels, process.height, process.width], classes: pretrained.classCount,
            parameters: network.parameterCount,
            flops_per_row: network.floatingPointOperations(height: process.height, width: process.width),
            schedule: process.scheduleName, prediction: process.prediction.rawValue,
            kernels: LinearAlgebra.kernelName, openblas_core: LinearAlgebra.coreName,
            checked_tensors: network.parameters.count,
            tensors: network.parameters.map { .init(name: $0.name, shape: $0.shape, dtype: $0.dtype) })
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(inspection), as: UTF8.self))
        } else {
            print(text(inspection, classNames: process.classNames))
        }
    }

    private func text(_ inspection: Inspection, classNames: [String]) -> String {
        let image = inspection.image.map(String.init).joined(separator: "×")
        var lines = [
            "\(inspection.model): \(inspection.architecture)",
            "  image        \(image)",
            "  channels     " + inspection.channels.map(String.init).joined(separator: ", "),
            "  down         " + inspection.down_blocks.joined(separator: ", "),
            "  up           " + inspection.up_blocks.joined(separator: ", "),
            "  parameters   \(inspection.parameters)",
            "  a row        \((Double(inspection.flops_per_row) / 1e9).formatted(digits: 3)) GFLOP",
            "  schedule     \(inspection.schedule), predicts \(inspection.prediction)",
            "  classes      \(inspection.classes)" + (classNames.isEmpty ? "" : ": " + classNames.joined(separator: ", ")),
            "  kernels      \(inspection.kernels), OpenBLAS core \(inspection.openblas_core)",
            "  tensors      \(inspection.checked_tensors), each with its shape, all numbers finite:",
        ]
        let width = inspection.tensors.map(\.name.count).max() ?? 0
        for tensor in inspection.tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ", ")
            lines.append("    \(tensor.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(tensor.dtype)  [\(shape)]")
        }
        return lines.joined(separator: "\n")
    }
}
