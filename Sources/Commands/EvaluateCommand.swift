import ArgumentParser
import Foundation
import NeuralNetwork
import Models

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Run a network once on given rows.",
        discussion: """
            Reads safetensors with the tensors "sample" [N, C, H, W], "timestep" [N] and, for networks with classes, \
            "class_labels" [N] (I64 or I32; numbers or vectors where class_embed_type is timestep or identity). Writes \
            "output" exactly as diffusers' UNet2DModel.forward returns it. For a policy's ConditionalUnet1D the tensors are \
            "sample" [N, T, D], "timestep" [N] and "global_cond" [N, G]; a network for mixtures takes "sample" [N, d] and labels.
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
        let networkFolder = PretrainedModel.networkFolder(in: folder)
        let rows = try SafetensorsFile(path: input)
        switch try Architecture(folder: folder) {
        case .unet2D: try evaluate(UNet2D(folder: networkFolder), rows)
        case .policy: try evaluate(ConditionalUnet1D(folder: networkFolder), rows)
        case .mixture: try evaluate(VelocityMLP(folder: networkFolder), rows)
        }
    }

    private func evaluate(_ network: UNet2D, _ rows: SafetensorsFile) throws {
        let shape = rows.shape(of: "sample") ?? []
        guard shape.count == 4, shape[1] == network.configuration.inChannels else {
            throw ModelError(
                input, key: "sample",
                expected: "a tensor [N, \(network.configuration.inChannels), height, width]",
                found: rows.shape(of: "sample").map { "\($0)" } ?? "none")
        }
        let batch = shape[0]
        let sample = try rows.floats(named: "sample")
        let timesteps = try timesteps(rows, batch)
        let result: [Float]
        switch network.configuration.classEmbedding {
        case .none:
            result = try network(
                sample: sample, batch: batch, height: shape[2], width: shape[3], timesteps: timesteps, threads: threads)
        case .timestep where Self.holdsIntegers(rows, "class_labels"), .table:
            result = try network(
                sample: sample, batch: batch, height: shape[2], width: shape[3], timesteps: timesteps,
                classLabels: rows.integers(named: "class_labels", shape: [batch]), threads: threads)
        case .timestep, .identity:
            result = try network(
                sample: sample, batch: batch, height: shape[2], width: shape[3], timesteps: timesteps,
                classInputs: rows.floats(named: "class_labels"), threads: threads)
        }
        try write(result, shape: [batch, network.configuration.outChannels, shape[2], shape[3]])
    }

    private func evaluate(_ network: ConditionalUnet1D, _ rows: SafetensorsFile) throws {
        let configuration = network.configuration
        let shape = rows.shape(of: "sample") ?? []
        guard shape.count == 3, shape[2] == configuration.inputDimension else {
            throw ModelError(
                input, key: "sample", expected: "a tensor [N, positions, \(configuration.inputDimension)]",
                found: rows.shape(of: "sample").map { "\($0)" } ?? "none")
        }
        let batch = shape[0]
        let condition =
            configuration.conditionDimension == 0
            ? [] : try rows.floats(named: "global_cond", shape: [batch, configuration.conditionDimension])
        let result = try network(
            sample: rows.floats(named: "sample"), batch: batch, positions: shape[1], timesteps: timesteps(rows, batch),
            condition: condition, threads: threads)
        try write(result, shape: shape)
    }

    private func evaluate(_ network: VelocityMLP, _ rows: SafetensorsFile) throws {
        let shape = rows.shape(of: "sample") ?? []
        let dimension = network.configuration.dimension
        guard shape.count == 2, shape[1] == dimension else {
            throw ModelError(
                input, key: "sample", expected: "a tensor [N, \(dimension)]",
                found: rows.shape(of: "sample").map { "\($0)" } ?? "none")
        }
        let result = try network(
            sample: rows.floats(named: "sample"), batch: shape[0], timesteps: timesteps(rows, shape[0]),
            classLabels: rows.integers(named: "class_labels", shape: [shape[0]]), threads: threads)
        try write(result, shape: shape)
    }

    private static func holdsIntegers(_ rows: SafetensorsFile, _ name: String) -> Bool {
        rows.dtype(of: name) == .i64 || rows.dtype(of: name) == .i32
    }

    /// Numbers or integers.
    private func timesteps(_ rows: SafetensorsFile, _ batch: Int) throws -> [Float] {
        if Self.holdsIntegers(rows, "timestep") {
            return try rows.integers(named: "timestep", shape: [batch]).map { Float($0) }
        }
        return try rows.floats(named: "timestep", shape: [batch])
    }

    private func write(_ output: [Float], shape: [Int]) throws {
        let writer = try SafetensorsWriter(path: self.output, tensors: [("output", shape)])
        try writer.append(output)
        try writer.finish()
    }
}
