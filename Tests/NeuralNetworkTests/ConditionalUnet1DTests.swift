import Foundation
import NeuralNetwork
import Testing

/// Policies' networks with outputs that PyTorch gave: those of the public implementation's layers.
struct PolicyFixture: Sendable, CustomStringConvertible {
    let folder: String
    var description: String { URL(fileURLWithPath: folder).lastPathComponent }

    /// Every fixture of this package; more may be named by the environment, folders separated by colons.
    static let all: [PolicyFixture] = {
        guard let root = Bundle.module.resourceURL?.appendingPathComponent("Fixtures/policies") else { return [] }
        var roots = [root]
        roots += (ProcessInfo.processInfo.environment["DIFFSPEC_EXTRA_POLICY_FIXTURES"] ?? "").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)) }
        return roots.flatMap { root in
            ((try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []).sorted()
                .map { PolicyFixture(folder: root.appendingPathComponent($0).path) }
        }
    }()

    static func named(_ name: String) throws -> PolicyFixture {
        guard let fixture = all.first(where: { $0.description == name }) else { throw Fixture.Missing(name: name) }
        return fixture
    }

    struct Case {
        let sample: [Float]
        let batch: Int
        let positions: Int
        let timesteps: [Float]
        let condition: [Float]
        let output: [Float]
    }

    func goldenCase() throws -> Case {
        let file = try SafetensorsFile(path: folder + "/case.safetensors")
        let shape = file.shape(of: "sample") ?? []
        return Case(
            sample: try file.floats(named: "sample"), batch: shape[0], positions: shape[1],
            timesteps: try file.floats(named: "timestep"), condition: try file.floats(named: "global_cond"),
            output: try file.floats(named: "output"))
    }
}

extension ConditionalUnet1D {
    /// The rows of a case at `indices`, in that order.
    func run(_ golden: PolicyFixture.Case, rows indices: [Int], threads: Int) throws -> [Float] {
        func rows(_ values: [Float]) -> [Float] {
            let size = values.count / golden.batch
            return indices.flatMap { values[$0 * size..<($0 + 1) * size] }
        }
        return try self(
            sample: rows(golden.sample), batch: indices.count, positions: golden.positions,
            timesteps: rows(golden.timesteps), condition: rows(golden.condition), threads: threads)
    }
}

@Suite struct ConditionalUnet1DTests {
    /// The bound is the package's promise; float32 alone accounts for about 1e-6.
    @Test(arguments: PolicyFixture.all) func agreesWithPyTorch(_ fixture: PolicyFixture) throws {
        let golden = try fixture.goldenCase()
        let network = try ConditionalUnet1D(folder: fixture.folder)
        let output = try network.run(golden, rows: Array(0..<golden.batch), threads: 2)
        #expect(relativeError(output, golden.output) < 1e-4)
    }

    /// What is normalised may lie far from zero: the same number on top of every bias before a group norm changes nothing but
    /// the rounding. Around 100 single precision is 4e-6 coarse, a few 1e-5 of the features' spread, in each of a dozen
    /// layers; squares summed as they are lose the variance itself (2e-2 and more).
    @Test func aMeanFarFromZeroLosesNoDigits() throws {
        let fixture = try PolicyFixture.named("pusht-narrow")
        let golden = try fixture.goldenCase()
        let weights = try SafetensorsFile(path: fixture.folder + "/diffusion_pytorch_model.safetensors")
        let folder = try TemporaryFolder()
        let path = folder.path + "/moved.safetensors"
        let names = weights.tensorNames
        let writer = try SafetensorsWriter(path: path, tensors: names.map { ($0, weights.shape(of: $0) ?? []) })
        var moved = 0
        for name in names {
            let isBefore = name.hasSuffix(".block.0.bias")
            moved += isBefore ? 1 : 0
            try writer.append(try weights.floats(named: name).map { isBefore ? $0 + 100 : $0 })
        }
        try writer.finish()
        #expect(moved > 10)
        let network = try ConditionalUnet1D(
            configuration: ConditionalUnet1DConfiguration(path: fixture.folder + "/config.json"),
            weights: SafetensorsFile(path: path))
        let output = try network.run(golden, rows: Array(0..<golden.batch), threads: 1)
        #expect(relativeError(output, golden.output) < 1e-3)
    }

    /// A row's bits depend neither on the batch, nor on its place in it, nor on the threads. 130 rows are more than a chunk.
    @Test(arguments: PolicyFixture.all) func isBatchInvariant(_ fixture: PolicyFixture) throws {
        let golden = try fixture.goldenCase()
        let network = try ConditionalUnet1D(folder: fixture.folder)
        let calls = [(33, 1), (21, 2), (2, 2), (7, 2), (1, 2), (5, 3), (130, 2), (3, 16)]
        try expectBatchInvariance(golden.batch, calls: calls) { try network.run(golden, rows: $0, threads: $1) }
    }

    @Test func countsWhatTheFileHolds() throws {
        let fixture = try PolicyFixture.named("pusht-narrow")
        let network = try ConditionalUnet1D(folder: fixture.folder)
        let file = try SafetensorsFile(path: fixture.folder + "/diffusion_pytorch_model.safetensors")
        #expect(network.parameterCount == file.tensorNames.reduce(0) { $0 + (file.shape(of: $1) ?? []).reduce(1, *) })
        #expect(network.parameters.count == file.tensorNames.count)
    }

    /// Counted by hand for one level of 24 channels, 3 in and out, 7 positions, kernel 3, embedding 4.
    @Test func countsOperations() throws {
        let network = try ConditionalUnet1D(folder: PolicyFixture.named("no-condition").folder)
        let step = 2 * (4 * 16 + 16 * 4)
        // Four blocks' projections, each padded to 32 columns.
        let features = 2 * 4 * 4 * 32
        let wide = 2 * 3 * 24 * 24 * 7
        let blocks = (2 * 3 * 3 * 24 * 7 + wide + 2 * 3 * 24 * 7) + 2 * wide + 4 * wide
        #expect(
            network.floatingPointOperations(.init(positions: 7))
                == Double(step + features + blocks + wide + 2 * 24 * 3 * 7))
    }

    @Test func rejectsBadInputs() throws {
        let network = try ConditionalUnet1D(folder: PolicyFixture.named("bias-only").folder)
        func call(sample: Int = 24, batch: Int = 1, positions: Int = 8, timesteps: Int = 1, condition: Int = 4) throws {
            func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }
            _ = try network(
                sample: zeros(sample), batch: batch, positions: positions, timesteps: zeros(timesteps),
                condition: zeros(condition), threads: 1)
        }
        try call()
        try call(sample: 0, batch: 0, timesteps: 0, condition: 0)
        try call(sample: 12, positions: 4)
        #expect(throws: NetworkInputError.self) { try call(sample: 23) }
        #expect(throws: NetworkInputError.self) { try call(sample: 21, positions: 7) }
        #expect(throws: NetworkInputError.self) { try call(sample: 0, positions: 0) }
        #expect(throws: NetworkInputError.self) { try call(batch: -1) }
        #expect(throws: NetworkInputError.self) { try call(batch: .max) }
        #expect(throws: NetworkInputError.self) { try call(timesteps: 2) }
        #expect(throws: NetworkInputError.self) { try call(condition: 0) }
    }

    /// NaN and infinite inputs and times end in NaN outputs, not in a trap.
    @Test func survivesNonFiniteInputs() throws {
        let network = try ConditionalUnet1D(folder: PolicyFixture.named("no-condition").folder)
        for value in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude] {
            let output = try network(
                sample: [Float](repeating: value, count: 21), batch: 1, positions: 7, timesteps: [value], threads: 2)
            #expect(output.count == 21)
        }
    }

    static let unsupported: [(key: String, json: String)] = [
        ("_class_name", "\"UNet2DModel\""), ("input_dim", "0"), ("input_dim", "null"), ("global_cond_dim", "-1"),
        ("local_cond_dim", "4"), ("diffusion_step_embed_dim", "2"), ("diffusion_step_embed_dim", "15"),
        ("down_dims", "[]"),
        ("down_dims", "24"), ("down_dims", "[24, -8]"), ("down_dims", "[24.5]"), ("down_dims", "[12]"),
        ("kernel_size", "4"),
        ("kernel_size", "0"), ("n_groups", "5"), ("n_groups", "0"), ("cond_predict_scale", "1"), ("horizon", "0"),
        ("horizon", "1e99"),
    ]

    /// Every value that is not supported ends in an error of one line that names its key.
    @Test(arguments: unsupported.indices) func namesUnsupportedValues(_ index: Int) throws {
        let (key, json) = Self.unsupported[index]
        var values = [
            "_class_name": "\"ConditionalUnet1D\"", "input_dim": "3", "down_dims": "[24]", "n_groups": "4",
            "kernel_size": "3",
        ]
        func configuration() throws -> ConditionalUnet1DConfiguration {
            let text = "{" + values.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
            return try ConditionalUnet1DConfiguration(json: Array(text.utf8), file: "config.json")
        }
        #expect(try configuration().downChannels == [24])
        values[key] = json
        let error = #expect(throws: CheckpointError.self) { try configuration() }
        let message = error?.description ?? ""
        #expect(message.contains(key) && message.hasPrefix("config.json: ") && !message.contains("\n"), "\(message)")
    }

    @Test func refusesAHorizonThatCannotBeHalved() {
        let text = "{\"input_dim\": 2, \"down_dims\": [8, 8, 8], \"horizon\": 6}"
        let error = #expect(throws: CheckpointError.self) {
            try ConditionalUnet1DConfiguration(json: Array(text.utf8), file: "config.json")
        }
        #expect(error?.description.contains("multiple of 4") == true)
    }

    /// Another architecture's weights are refused as a whole.
    @Test func listsMissingParameters() throws {
        let configuration = try ConditionalUnet1DConfiguration(
            path: PolicyFixture.named("bias-only").folder + "/config.json")
        let weights = try SafetensorsFile(
            path: PolicyFixture.named("no-condition").folder + "/diffusion_pytorch_model.safetensors")
        let error = #expect(throws: CheckpointError.self) {
            try ConditionalUnet1D(configuration: configuration, weights: weights)
        }
        #expect(
            error?.description.contains("parameters are missing: down_modules.0.2.conv") == true,
            "\(error?.description ?? "")")
    }
}

@Suite struct JSONTextTests {
    /// What is written is JSON again, with the same value, on one line.
    @Test(arguments: [
        "{\"a\\\"b\":\"\\\\\\n\\t\\u0001\\u2028é😀\"}", "[1,-2.5,1e300,5e-324,true,null,[],{}]", "\"/\\u007f\"",
        "9223372036854775807",
    ]) func roundTrips(_ text: String) throws {
        let value = try JSON(parsing: text.utf8)
        #expect(try JSON(parsing: value.text.utf8) == value)
        #expect(!value.text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x2028 })
    }
}
