import Foundation
import NeuralNetwork
import Testing

/// The ways in which diffusers saves the weights of a network.
@Suite struct WeightFilesTests {
    private static let name = "diffusion_pytorch_model"

    /// A copy of a small network's folder without its weights, and those.
    private struct Copy {
        let folder: TemporaryFolder
        let weights: SafetensorsFile
        let configuration: VelocityMLPConfiguration

        init() throws {
            let source = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/velocity/odd-widths")
            folder = try TemporaryFolder()
            _ = try folder.write(Data(contentsOf: source.appendingPathComponent("config.json")), "config.json")
            weights = try SafetensorsFile(path: source.path + "/\(WeightFilesTests.name).safetensors")
            configuration = try VelocityMLPConfiguration(path: folder.path + "/config.json")
        }

        /// The values of all parameters, by name.
        func values(of file: SafetensorsFile) throws -> [String: [Float]] {
            try Dictionary(uniqueKeysWithValues: file.tensorNames.map { ($0, try file.floats(named: $0)) })
        }

        /// Writes some of the tensors as 32 bits, or as the upper or rounded 16 of them.
        func write(_ names: [String], as type: String = "F32", _ file: String) throws {
            var header: [String] = []
            var data = Data()
            for name in names {
                let begin = data.count
                for value in try weights.floats(named: name) {
                    switch type {
                    case "BF16":
                        withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) {
                            data.append(contentsOf: $0)
                        }
                    default: withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
                    }
                }
                let shape = (weights.shape(of: name) ?? []).map(String.init).joined(separator: ",")
                header.append(
                    "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(data.count)]}"
                )
            }
            _ = try folder.write(safetensors("{" + header.joined(separator: ",") + "}") + data, file)
        }

        func write(index map: [(String, String)], _ file: String? = nil) throws {
            let text = map.map { "\"\($0.0)\": \"\($0.1)\"" }.joined(separator: ", ")
            _ = try folder.write(
                Data("{\"metadata\": {}, \"weight_map\": {\(text)}}".utf8),
                file ?? "\(WeightFilesTests.name).safetensors.index.json")
        }

        func output(_ network: VelocityMLP) throws -> [Float] {
            let count = 3
            return try network(
                sample: (0..<count * configuration.dimension).map { sin(Float($0)) }, batch: count,
                timesteps: [0.1, 10, 500], classLabels: (0..<count).map { $0 % configuration.labelCount }, threads: 1)
        }
    }

    /// Shards hold the same network as one file.
    @Test func shardsAreRead() throws {
        let copy = try Copy()
        let expected = try copy.output(VelocityMLP(configuration: copy.configuration, weights: copy.weights))
        let names = copy.weights.tensorNames
        let halves = [Array(names.prefix(names.count / 2)), Array(names.dropFirst(names.count / 2))]
        let files = (1...2).map { "\(Self.name)-0000\($0)-of-00002.safetensors" }
        for (names, file) in zip(halves, files) { try copy.write(names, file) }
        try copy.write(index: zip(halves, files).flatMap { names, file in names.map { ($0, file) } })
        #expect(try copy.output(VelocityMLP(folder: copy.folder.path)) == expected)

        func refusal() -> CheckpointError? {
            #expect(throws: CheckpointError.self) { try VelocityMLP(folder: copy.folder.path) }
        }
        // A tensor that the index puts elsewhere, then a place outside the folder, then a shard that is missing.
        try copy.write(index: names.map { ($0, files[0]) })
        #expect(refusal()?.message.contains("the index says it is here") == true)
        try copy.write(index: names.map { ($0, "../\(files[0])") })
        #expect(refusal()?.message.contains("expected the name of a file") == true)
        try copy.write(index: halves[0].map { ($0, files[0]) })
        #expect(refusal()?.message.contains("are missing") == true)
        try copy.write(index: zip(halves, files).flatMap { names, file in names.map { ($0, file) } })
        try FileManager.default.removeItem(atPath: copy.folder.path + "/" + files[1])
        #expect(refusal()?.message.contains("\(files[1]), which is missing") == true)
    }

    /// Weights in half precision stand in where there are no others, and are widened exactly.
    @Test func variantsAreRead() throws {
        let copy = try Copy()
        try copy.write(copy.weights.tensorNames, as: "BF16", "\(Self.name).bf16.safetensors")
        let half = try VelocityMLP(folder: copy.folder.path)
        #expect(half.parameters.allSatisfy { $0.dtype == "BF16" })
        let full = try copy.output(VelocityMLP(configuration: copy.configuration, weights: copy.weights))
        // Eight bits of a number are kept; the outputs differ, by less than their spread.
        let found = try copy.output(half)
        #expect(found != full && relativeError(found, full) < 0.5)

        try copy.write(copy.weights.tensorNames, "\(Self.name).safetensors")
        #expect(try copy.output(VelocityMLP(folder: copy.folder.path)) == full, "full precision comes first")
    }

    @Test(arguments: [
        ("diffusion_pytorch_model.bin", "safe_serialization"),
        ("diffusion_pytorch_model.fp16.bin", "safe_serialization"),
        ("diffusion_pytorch_model.non_ema.safetensors", "rename"), ("model.safetensors", "rename"),
        ("unrelated", "No such file"),
    ]) func whatStandsInTheirPlaceIsNamed(_ file: String, _ says: String) throws {
        let copy = try Copy()
        _ = try copy.folder.write(Data([0]), file)
        let error = #expect(throws: CheckpointError.self) { try VelocityMLP(folder: copy.folder.path) }
        #expect(error?.description.contains(says) == true, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.description.contains(file) == true || file == "unrelated")
    }
}
