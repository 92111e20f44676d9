import ArgumentParser
import Foundation
import NeuralNetwork
import Pretrained

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Run a network once on given rows.",
        discussion: """
            Reads safetensors with the tensors "sample" [N, C, H, W], "timestep" [N] and, for networks with classes, \
            "class_labels" [N] (I64 or I32; numbers or vectors where class_embed_type is timestep or identity). Writes \
            "output" exactly as diffusers' UNet2DModel.forward returns it. A network for mixtures takes "sample" [N, d] and labels.
            """)

    @Option(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model: String

    @Option(help: .init("The rows.", valueName: "in.safetensors"))
    var input: String

    @Option(help: .init("Where the output goes.", valueName: "out.safetensors"))
    var output: String

    @Option(parsing: .unconditional, help: .init("Processor cores to use (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
    }

    func run() throws {
        try OutputError.checkWritable(file: output)
        let folder = try BundledModels.folder(model)
        let (shape, result) =
            switch try ModelKind(folder: folder) {
            case .image: try images(UNet2D(folder: PretrainedModel.networkFolder(in: folder)))
            case .mixture: try points(VelocityMLP(folder: folder))
            }
        let writer = try SafetensorsWriter(path: output, tensors: [("output", shape)])
        try writer.append(result)
        try writer.finish()
    }

    private func points(_ network: VelocityMLP) throws -> (shape: [Int], output: [Float]) {
        let rows = try SafetensorsFile(path: input)
        let shape = rows.shape(of: "sample") ?? []
        let dimension = network.configuration.dimension
        guard shape.count == 2, shape[1] == dimension else {
            throw ModelError(
                input, key: "sample", expected: "a tensor [N, \(dimension)]",
                found: rows.shape(of: "sample").map { "\($0)" } ?? "none")
        }
        let output = try network(
            sample: rows.floats(named: "sample"), batch: shape[0],
            timesteps: rows.floats(named: "timestep", shape: [shape[0]]),
            classLabels: rows.integers(named: "class_labels", shape: [shape[0]]), threads: threads)
        return (shape, output)
    }

    private func images(_ network: UNet2D) throws -> (shape: [Int], output: [Float]) {
        let rows = try SafetensorsFile(path: input)
        let shape = rows.shape(of: "sample") ?? []
        guard shape.count == 4, shape[1] == network.configuration.inChannels else {
            throw ModelError(
                input, key: "sample",
                expected: "a tensor [N, \(network.configuration.inChannels), height, width]",
                found: rows.shape(of: "sample").map { "\($0)" } ?? "none")
        }
        let batch = shape[0]
        let sample = try rows.floats(named: "sample")
        let timesteps = try rows.floats(named: "timestep", shape: [batch])
        let result: [Float]
        switch network.configuration.classEmbedding {
        case .none:
            result = try network(
                sample: sample, batch: batch, height: shape[2], width: shape[3], timesteps: timesteps, threads: threads)
        case .table:
            result = try network(
                sample: sample, batch: batch, height: shape[2], width: shape[3], timesteps: timesteps,
                classLabels: rows.integers(named: "class_labels", shape: [batch]), threads: threads)
        case .timestep, .identity:
            result = try network(
                sample: sample, batch: batch, height: shape[2], width: shape[3], timesteps: timesteps,
                classInputs: rows.floats(named: "class_labels"), threads: threads)
        }
        return ([batch, network.configuration.outChannels, shape[2], shape[3]], result)
    }
}
