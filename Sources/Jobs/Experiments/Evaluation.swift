import Models
import NeuralNetwork

/// One network call on the rows of a file.
public enum Evaluation {
    /// - Parameters:
    ///   - model: a folder, or a bundled model's name.
    ///   - input: the rows, safetensors.
    ///   - output: where the outputs go, safetensors.
    ///   - threads: cores to use, at least 1; changes no result.
    /// - Throws: `ModelError`, `CheckpointError` or `NetworkInputError` for rows that the network cannot take.
    public static func run(model: String, input: String, output: String, threads: Int) throws {
        let folder = try BundledModels.folder(model)
        let tensors = try ModelKind.of(folder: folder).evaluate(
            folder: folder, rows: SafetensorsFile(path: input), threads: threads)
        let writer = try SafetensorsWriter(path: output, tensors: tensors.map { ($0.name, $0.shape) })
        for tensor in tensors { try writer.append(tensor.values) }
        try writer.finish()
    }
}
