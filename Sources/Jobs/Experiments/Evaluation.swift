import Models
import NeuralNetwork

/// One network call on the rows of a file.
public struct Evaluation: RunResult {
    /// A tensor that was written.
    public struct Output: Encodable, Sendable {
        public let name: String
        public let shape: [Int]
    }

    /// As it was asked for: a folder, or a bundled model's name.
    public let model: String
    public let outputs: [Output]
    /// Of the call, with reading the network.
    public let wall_seconds: Double

    /// Calls the network and writes what it returns.
    /// - Parameters:
    ///   - model: a folder, or a bundled model's name.
    ///   - input: the rows, safetensors.
    ///   - output: where the outputs go, safetensors.
    ///   - threads: cores to use, at least 1; changes no result.
    /// - Throws: `ModelError`, `CheckpointError` or `NetworkInputError` for rows that the network cannot take.
    public static func run(model: String, input: String, output: String, threads: Int) throws -> Evaluation {
        let start = ContinuousClock.now
        let folder = try BundledModels.folder(model)
        let tensors = try ComponentNetworks.evaluate(
            folder: folder, rows: SafetensorsFile(path: input), threads: threads)
        let seconds = start.duration(to: .now) / .seconds(1)
        let writer = try SafetensorsWriter(path: output, tensors: tensors.map { ($0.name, $0.shape) })
        for tensor in tensors { try writer.append(tensor.values) }
        try writer.finish()
        return Evaluation(
            model: model, outputs: tensors.map { Output(name: $0.name, shape: $0.shape) }, wall_seconds: seconds)
    }

    public var text: String {
        outputs.map { output in
            "\(output.name) [\(output.shape.map(String.init).joined(separator: ", "))] of \(model)"
        }.joined(separator: "\n")
    }
}
