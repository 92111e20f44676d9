import Foundation
import NeuralNetwork
import Testing

@Suite struct VelocityMLPTests {
    /// Random weights, no width a multiple of the padding: `weights/training/make_velocity_case.py` made it.
    static let folder =
        (Bundle.module.resourceURL?.appendingPathComponent("Fixtures/velocity/odd-widths").path) ?? ""

    struct Rows {
        let sample: [Float]
        let timesteps: [Float]
        let labels: [Int]
        let output: [Float]

        init() throws {
            let file = try SafetensorsFile(path: VelocityMLPTests.folder + "/case.safetensors")
            sample = try file.floats(named: "sample")
            timesteps = try file.floats(named: "timestep")
            labels = try file.integers(named: "class_labels")
            output = try file.floats(named: "output")
        }
    }

    /// Float32 in another order of summation: 1e-6 of a deviation. A wrong term shows above 1e-2.
    @Test func agreesWithPyTorch() throws {
        let rows = try Rows()
        let network = try VelocityMLP(folder: Self.folder)
        let output = try network(
            sample: rows.sample, batch: 5, timesteps: rows.timesteps, classLabels: rows.labels, threads: 2)
        #expect(relativeError(output, rows.output) < 1e-5)
        #expect(network.parameterCount == network.parameters.reduce(0) { $0 + $1.count })
    }

    /// A row's bits depend neither on the batch (beyond one chunk of 256), nor on its place, nor on the threads, nor on who
    /// else has its time.
    @Test func isBatchInvariant() throws {
        let rows = try Rows()
        let network = try VelocityMLP(folder: Self.folder)
        func run(_ indices: [Int], threads: Int) throws -> [Float] {
            try network(
                sample: indices.flatMap { rows.sample[$0 * 3..<$0 * 3 + 3] }, batch: indices.count,
                timesteps: indices.map { rows.timesteps[$0] }, classLabels: indices.map { rows.labels[$0] },
                threads: threads)
        }
        let alone = try (0..<5).map { try run([$0], threads: 1) }
        for (count, threads) in [(5, 1), (33, 2), (300, 2), (600, 1)] {
            let indices = (0..<count).map { ($0 * 3 + threads) % 5 }
            let together = try run(indices, threads: threads)
            for (place, index) in indices.enumerated() {
                #expect(
                    Array(together[place * 3..<place * 3 + 3]) == alone[index], "row \(index) at \(place) of \(count)")
            }
        }
    }

    @Test func rejectsBadInputs() throws {
        let network = try VelocityMLP(folder: Self.folder)
        func call(_ sample: [Float], batch: Int = 1, timesteps: [Float] = [1], labels: [Int] = [0]) throws -> [Float] {
            try network(sample: sample, batch: batch, timesteps: timesteps, classLabels: labels, threads: 1)
        }
        #expect(throws: NetworkInputError.self) { try call([0, 0]) }
        #expect(throws: NetworkInputError.self) { try call([0, 0, 0], timesteps: []) }
        #expect(throws: NetworkInputError.self) { try call([0, 0, 0], labels: [5]) }
        #expect(throws: NetworkInputError.self) { try call([0, 0, 0], labels: [-1]) }
        #expect(throws: NetworkInputError.self) { try call([0, 0, 0], labels: []) }
        #expect(throws: NetworkInputError.self) { try call([], batch: -1, timesteps: [], labels: []) }
        #expect(try call([], batch: 0, timesteps: [], labels: []).isEmpty)
        // NaN and infinite inputs end in NaN outputs, not in a trap.
        for value in [Float.nan, .infinity, .greatestFiniteMagnitude] {
            #expect(try call([value, value, value], timesteps: [value]).count == 3)
        }
    }

    /// Each key that is missing, of another type or out of range is named.
    @Test(arguments: [
        ("dimension", "null"), ("dimension", "0"), ("num_class_embeds", "\"5\""), ("embedding_dim", "21"),
        ("preprocessing", "[]"), ("preprocessing", "7"), ("preprocessing", "[7, -1]"), ("postprocessing", "null"),
        ("act_fn", "\"sine\""), ("_class_name", "\"UNet2DModel\""),
    ])
    func rejectsBadConfigurations(key: String, value: String) throws {
        var keys = [
            "_class_name": "\"VelocityMLP\"", "act_fn": "\"gelu\"", "dimension": "3", "num_class_embeds": "5",
            "embedding_dim": "22", "preprocessing": "[7, 19]", "postprocessing": "[33, 5]",
        ]
        func configuration() throws -> VelocityMLPConfiguration {
            let text = "{" + keys.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",") + "}"
            return try VelocityMLPConfiguration(json: text.utf8, file: "config.json")
        }
        let sound = try configuration()
        #expect(
            sound
                == VelocityMLPConfiguration(
                    dimension: 3, labelCount: 5, embeddingChannels: 22, preprocessing: [7, 19], postprocessing: [33, 5])
        )
        keys[key] = value
        let error = #expect(throws: CheckpointError.self) { try configuration() }
        #expect(error?.description.contains(key) == true)
    }

    /// The weights of another configuration are refused, by name and shape.
    @Test func rejectsOtherWeights() throws {
        let weights = try SafetensorsFile(path: Self.folder + "/diffusion_pytorch_model.safetensors")
        let sound = try VelocityMLPConfiguration(path: Self.folder + "/config.json")
        for change in [
            { (c: inout VelocityMLPConfiguration) in c.dimension = 4 }, { $0.labelCount = 6 },
            { $0.preprocessing = [7, 19, 19] }, { $0.postprocessing = [33] },
        ] {
            var configuration = sound
            change(&configuration)
            #expect(throws: CheckpointError.self) { try VelocityMLP(configuration: configuration, weights: weights) }
        }
    }
}
