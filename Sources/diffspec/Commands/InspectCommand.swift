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
        let image: [Int]?
        let classes: Int?
        let parameters: Int
        let flops_per_row: Double?
        let schedule: String?
        let prediction: String?
        let kernels: String
        let openblas_core: String
        let checked_tensors: Int
        let tensors: [Tensor]
    }

    func run() throws {
        let folder = try BundledModels.folder(model)
        let network = try UNet2D(folder: PretrainedModel.networkFolder(in: folder))
        let configuration = network.configuration
        // A network alone can be inspected and evaluated; why it can't be sampled is worth a line.
        let pretrained: Result<PretrainedModel, any Error> = Result { try PretrainedModel(folder: folder, network: network) }
        let process = try? pretrained.get().process
        let size = process.map { ($0.height, $0.width) } ?? configuration.sampleSize.map { ($0.height, $0.width) }
        let inspection = Inspection(
            model: model, architecture: "UNet2DModel", down_blocks: configuration.downBlocks.map(\.rawValue),
            up_blocks: configuration.upBlocks.map(\.rawValue), channels: configuration.blockChannels,
            image: size.map { [configuration.inChannels, $0.0, $0.1] }, classes: try? pretrained.get().classCount,
            parameters: network.parameterCount,
            flops_per_row: size.map { network.floatingPointOperations(height: $0.0, width: $0.1) },
            schedule: process?.scheduleName, prediction: process?.prediction.rawValue,
            kernels: LinearAlgebra.kernelName, openblas_core: LinearAlgebra.coreName,
            checked_tensors: network.parameters.count,
            tensors: network.parameters.map { .init(name: $0.name, shape: $0.shape, dtype: $0.dtype) })
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(inspection), as: UTF8.self))
        } else {
            var reason: String?
            if case .failure(let error) = pretrained { reason = "\(error)" }
            print(text(inspection, classNames: process?.classNames ?? [], cannotSample: reason))
        }
    }

    private func text(_ inspection: Inspection, classNames: [String], cannotSample: String?) -> String {
        func list(_ items: [String]) -> String { items.joined(separator: ", ") }
        let image = inspection.image?.map(String.init).joined(separator: "×") ?? "of any size"
        var lines = ["\(inspection.model): \(inspection.architecture)"]
        lines.append("  image        \(image)")
        lines.append("  channels     \(list(inspection.channels.map(String.init)))")
        lines.append("  down         \(list(inspection.down_blocks))")
        lines.append("  up           \(list(inspection.up_blocks))")
        lines.append("  parameters   \(inspection.parameters)")
        if let operations = inspection.flops_per_row {
            lines.append("  a row        \((operations / 1e9).formatted(digits: 3)) GFLOP")
        }
        if let schedule = inspection.schedule, let prediction = inspection.prediction, let classes = inspection.classes {
            lines.append("  schedule     \(schedule), predicts \(prediction)")
            let names = classNames.isEmpty ? "" : ": " + list(classNames)
            lines.append("  classes      \(classes)\(names)")
        }
        if let cannotSample { lines.append("  sampling     not as it is: \(cannotSample)") }
        lines.append("  kernels      \(inspection.kernels), OpenBLAS core \(inspection.openblas_core)")
        lines.append("  tensors      \(inspection.checked_tensors), each with its shape, all numbers finite:")
        let width = inspection.tensors.map(\.name.count).max() ?? 0
        for tensor in inspection.tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ", ")
            lines.append("    \(tensor.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(tensor.dtype)  [\(shape)]")
        }
        return lines.joined(separator: "\n")
    }
}
