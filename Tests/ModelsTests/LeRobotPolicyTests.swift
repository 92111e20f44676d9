import Diffusion
import Foundation
import NeuralNetwork
import Testing

@testable import Models

/// Policies in LeRobot's own folders, against what LeRobot makes of the same rows (`Fixtures/lerobot/make.py`).
@Suite("LeRobot's policies")
struct LeRobotPolicyTests {
    static var fixtures: URL {
        get throws { try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/lerobot") }
    }

    static func inFolder<Result>(_ name: String, _ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID())")
        try FileManager.default.copyItem(at: fixtures.appendingPathComponent(name), to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    static func write(_ tensors: [NamedTensor], to file: URL) throws {
        let writer = try SafetensorsWriter(path: file.path, tensors: tensors.map { ($0.name, $0.shape) })
        for tensor in tensors { try writer.append(tensor.values) }
        try writer.finish()
    }

    /// What a policy makes of some rows, by name.
    static func evaluate(_ folder: URL, _ rows: [NamedTensor]) throws -> [String: NamedTensor] {
        let file = folder.appendingPathComponent("rows.safetensors")
        try write(rows, to: file)
        let results = try PolicyModel.evaluate(
            folder: folder.path, rows: SafetensorsFile(path: file.path), threads: 2)
        return Dictionary(uniqueKeysWithValues: results.map { ($0.name, $0) })
    }

    /// Largest difference over the standard deviation of what is expected.
    static func error(_ found: NamedTensor?, _ file: SafetensorsFile, _ name: String) throws -> Double {
        let (found, expected) = (try #require(found), try file.floats(named: name))
        try #require(found.shape == file.shape(of: name) && found.values.count == expected.count)
        let mean = expected.reduce(0) { $0 + Double($1) } / Double(expected.count)
        let variance = expected.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(expected.count)
        return zip(found.values, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
            / variance.squareRoot()
    }

    // MARK: Whole policies

    static let stages = ["normalised.observation.state", "normalised.observation.environment_state", "global_cond"]

    /// A dimension that never changed is among them: its numbers come to 1e8.
    @Test func everyStageIsLeRobots() throws {
        let folder = try Self.fixtures.appendingPathComponent("state-only")
        let expected = try SafetensorsFile(path: folder.appendingPathComponent("case.safetensors").path)
        let results = try PolicyModel.evaluate(folder: folder.path, rows: expected, threads: 1)
        let found = Dictionary(uniqueKeysWithValues: results.map { ($0.name, $0) })
        // Of single precision: sums of a few hundred products, and differences of numbers of either sign.
        for name in Self.stages { #expect(try Self.error(found[name], expected, name) < 1e-6) }
        #expect(try Self.error(found["output"], expected, "output") < 2e-5)
        #expect(try Self.error(found["actions"], expected, "actions") < 1e-6)
        #expect(results.count == 5)
    }

    /// Numbers that are a function of a tensor's name and the place in it, as `make.py` computes them.
    static func uniform(_ name: String, _ shape: [Int], _ low: Double, _ high: Double) -> [Float] {
        let seed = name.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return (0..<shape.reduce(1, *)).map { index in
            var z = seed &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            z ^= z >> 31
            return Float(low + (high - low) * (Double(z >> 40) / 16_777_216))
        }
    }

    static func weights(_ name: String, _ shape: [Int]) -> [Float] {
        if name.hasSuffix("pos_grid") { return [] }
        if shape.count > 1 {
            let bound = (3 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
            return uniform(name, shape, -bound, bound)
        }
        if name.hasSuffix("weight") || name.hasSuffix("running_var") { return uniform(name, shape, 0.75, 1.25) }
        return uniform(name, shape, -0.1, 0.1)
    }

    /// Where the pixels of a feature map lie, x before y.
    static func grid(_ height: Int, _ width: Int) -> [Float] {
        func place(_ index: Int, _ count: Int) -> Float {
            count == 1 ? -1 : Float(-1 + 2 * Double(index) / Double(count - 1))
        }
        var grid: [Float] = []
        for y in 0..<height {
            for x in 0..<width { grid += [place(x, width), place(y, height)] }
        }
        return grid
    }

    /// Writes the `model.safetensors` that is not stored.
    /// - Parameter map: height and width of the last feature map.
    static func writeWeights(to folder: URL, map: (height: Int, width: Int)) throws {
        let text = try Data(contentsOf: folder.appendingPathComponent("parameters.json"))
        let shapes = try #require(try JSONSerialization.jsonObject(with: text) as? [String: [Int]])
        let tensors = shapes.keys.sorted().map { name -> NamedTensor in
            let shape = shapes[name] ?? []
            let values = name.hasSuffix("pos_grid") ? grid(map.height, map.width) : weights(name, shape)
            return NamedTensor(name, shape: shape, values: values)
        }
        try write(tensors, to: folder.appendingPathComponent("model.safetensors"))
    }

    /// Residual networks of either kind, normalised by groups or by batches, one for all cameras or one for each; pictures
    /// resized, cropped at the centre, or neither; every way of normalising numbers.
    @Test(arguments: [("groups-18", 2, 1), ("batches-34", 2, 1), ("batches-50", 2, 2)])
    func policiesSeeAsLeRobots(name: String, height: Int, width: Int) throws {
        try Self.inFolder(name) { folder in
            try Self.writeWeights(to: folder, map: (height, width))
            let model = try PolicyModel(named: folder.path)
            var rows = model.observer.features.map { feature -> NamedTensor in
                let (name, shape) = ("raw.\(feature.name)", [2] + feature.shape(steps: 2))
                return NamedTensor(
                    name, shape: shape, values: Self.uniform(name, shape, feature.isPicture ? 0 : -1, 1))
            }
            rows.append(
                NamedTensor("trajectory", shape: [2, 8, 2], values: Self.uniform("trajectory", [2, 8, 2], -1.5, 1.5)))
            rows.append(NamedTensor("plan", shape: [2, 8, 2], values: Self.uniform("plan", [2, 8, 2], -1, 1)))
            rows.append(NamedTensor("timestep", shape: [2], values: [70, 3]))
            let found = try Self.evaluate(folder, rows)
            let expected = try SafetensorsFile(path: folder.appendingPathComponent("expected.safetensors").path)
            // Fifty layers of single precision, Winograd's arrangement among them.
            #expect(try Self.error(found["global_cond"], expected, "global_cond") < 3e-5)
            #expect(try Self.error(found["output"], expected, "output") < 3e-5)
            #expect(try Self.error(found["actions"], expected, "actions") < 1e-6)
        }
    }

    /// A row's condition is the same, to the bit, whatever stands beside it and however many threads there are.
    @Test func picturesDoNotTouchEachOther() throws {
        try Self.inFolder("groups-18") { folder in
            try Self.writeWeights(to: folder, map: (2, 1))
            let observer = try PolicyModel(named: folder.path).observer
            let observations = (0..<7).map { number in
                PolicyObservation([
                    "observation.state": .numbers(Self.uniform("s\(number)", [6], -1, 1).map { Double($0) }),
                    "observation.image": .pictures(Self.uniform("p\(number)", [2, 3, 40, 36], 0, 1)),
                ])
            }
            let together = try observer.conditions(observations, threads: 2)
            for (index, observation) in observations.enumerated() {
                #expect(try observer.conditions([observation], threads: 1) == [together[index]])
            }
        }
    }

    // MARK: Chains

    @Test func theChainIsTheFolders() throws {
        try Self.inFolder("state-only") { folder in
            let model = try PolicyModel(named: folder.path)
            #expect(model.chunk == 1..<9 && model.horizon == 16)
            #expect(model.ownChain.kind == .ddpm && model.ownChain.steps == 100)
            let conditions = [[Float](repeating: 0.1, count: 14)]
            let chain = try model.chain(model.ownChain, conditions: conditions, threads: 1)
            #expect(chain.stepCount == 100 && chain.predictionBounds == -1...1)
        }
    }

    /// Only what is known before the noise: the actions of the last plan that are left, then the last again.
    @Test func anEarlierPlanIsWhatDraftsStartFrom() throws {
        try Self.inFolder("state-only") { folder in
            let model = try PolicyModel(named: folder.path)
            let state = (0..<32).map { Double($0) }
            func prior(_ executed: Int) throws -> [Double]? {
                try model.chain(
                    model.ownChain, conditions: [[Float](repeating: 0, count: 14)],
                    earlierPlans: [.init(state: state, executed: executed)], threads: 1
                ).priorPrediction(sample: 0)
            }
            #expect(try prior(0) == state)
            #expect(try prior(3) == Array(state[6...]) + [30, 31, 30, 31, 30, 31])
            #expect(try prior(16) == (0..<16).flatMap { _ in [30.0, 31] })
            // With a prior of the folder's own, that gives the end.
            let rest = (0..<32).map { Double(-$0) }
            let plan = PolicyModel.EarlierPlan(state: state, executed: 14)
            #expect(plan.shifted(horizon: 16, actions: 2, rest: rest) == [28, 29, 30, 31] + rest[4...])
        }
    }

    // MARK: Older folders

    static func edit(_ folder: URL, _ file: String = "config.json", _ change: (inout [String: Any]) -> Void) throws {
        let url = folder.appendingPathComponent(file)
        var json = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        change(&json)
        try JSONSerialization.data(withJSONObject: json).write(to: url)
    }

    static func caseFile(_ folder: URL) throws -> SafetensorsFile {
        try SafetensorsFile(path: folder.appendingPathComponent("case.safetensors").path)
    }

    /// Statistics among the weights, as before LeRobot had processors, and names of a compiled network.
    static func makeLegacy(_ folder: URL) throws {
        let processor = "policy_preprocessor_step_3_normalizer_processor.safetensors"
        let statistics = try SafetensorsFile(path: folder.appendingPathComponent(processor).path)
        let model = try SafetensorsFile(path: folder.appendingPathComponent("model.safetensors").path)
        var tensors = try model.tensorNames.map { name in
            NamedTensor(
                name.replacingOccurrences(of: "diffusion.unet.", with: "diffusion.unet._orig_mod."),
                shape: model.shape(of: name) ?? [], values: try model.floats(named: name))
        }
        for feature in ["observation.state", "action"] {
            let layers = feature == "action" ? ["normalize_targets", "unnormalize_outputs"] : ["normalize_inputs"]
            for (layer, statistic) in layers.flatMap({ layer in ["min", "max"].map { (layer, $0) } }) {
                let values = try statistics.floats(named: "\(feature).\(statistic)")
                let name = feature.replacingOccurrences(of: ".", with: "_")
                tensors.append(
                    NamedTensor("\(layer).buffer_\(name).\(statistic)", shape: [values.count], values: values))
            }
        }
        try write(tensors, to: folder.appendingPathComponent("model.safetensors"))
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) where file.hasPrefix("policy_") {
            try FileManager.default.removeItem(at: folder.appendingPathComponent(file))
        }
    }

    @Test func statisticsAmongTheWeightsAreRead() throws {
        try Self.inFolder("state-only") { folder in
            try Self.makeLegacy(folder)
            let results = try PolicyModel.evaluate(folder: folder.path, rows: Self.caseFile(folder), threads: 1)
            let expected = try Self.caseFile(folder)
            for result in results { #expect(try Self.error(result, expected, result.name) < 2e-5) }
            #expect(results.count == 5)
        }
    }

    /// The first folders of the hub: shapes and ways of normalising by name, and no type.
    @Test func theOldestConfigurationsAreRead() throws {
        try Self.inFolder("state-only") { folder in
            try Self.makeLegacy(folder)
            try Self.edit(folder) { json in
                for key in ["input_features", "output_features", "normalization_mapping", "type"] { json[key] = nil }
                json["input_shapes"] = ["observation.state": [4], "observation.environment_state": [3]]
                json["output_shapes"] = ["action": [2]]
                json["input_normalization_modes"] = ["observation.state": "min_max"]
                json["output_normalization_modes"] = ["action": "min_max"]
            }
            let expected = try Self.caseFile(folder)
            for result in try PolicyModel.evaluate(folder: folder.path, rows: expected, threads: 1) {
                #expect(try Self.error(result, expected, result.name) < 2e-5)
            }
        }
    }

    // MARK: What is refused

    static let changes: [(key: String, value: any Sendable, word: String)] = [
        ("use_peft", true, "use_peft"), ("noise_scheduler_type", "EDM", "DDPM, DDIM"),
        ("prediction_type", "v_prediction", "epsilon, sample"), ("vision_backbone", "vit", "input_features"),
        ("something_new", 3, "something_new"), ("n_action_steps", 16, "n_action_steps"), ("horizon", 15, "horizon"),
        ("down_dims", [16, 33], "n_groups"), ("beta_schedule", "exp", "beta_schedule"),
        ("clip_sample", "yes", "clip_sample"),
        ("normalization_mapping", ["STATE": "LOG"], "MEAN_STD"),
        ("input_features", [String: String](), "observation.state"),
        ("type", "act", "diffusion"), ("num_inference_steps", 101, "num_inference_steps"),
    ]

    @Test(arguments: changes.indices) func whatIsNotSupportedIsNamed(_ index: Int) throws {
        let (key, value, word) = Self.changes[index]
        try Self.inFolder("state-only") { folder in
            try Self.edit(folder) {
                $0[key] = value
                // A backbone matters to policies with pictures alone.
                if key == "vision_backbone" {
                    $0["input_features"] = [
                        "observation.state": ["type": "STATE", "shape": [4]],
                        "observation.image": ["type": "VISUAL", "shape": [1, 48, 48]],
                    ]
                }
                if key == "normalization_mapping" { $0["type"] = "diffusion" }
            }
            if key == "normalization_mapping" {
                try Self.edit(folder, "policy_preprocessor.json") { json in
                    var steps = json["steps"] as? [[String: Any]] ?? []
                    var config = steps[3]["config"] as? [String: Any] ?? [:]
                    config["norm_map"] = value
                    steps[3]["config"] = config
                    json["steps"] = steps
                }
            }
            let error = #expect(throws: (any Error).self) { try PolicyModel(named: folder.path) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(word), "\(error.map { "\($0)" } ?? "")")
        }
    }

    @Test(arguments: [
        "policy_preprocessor.json", "policy_postprocessor.json", "model.safetensors",
        "policy_preprocessor_step_3_normalizer_processor.safetensors",
    ]) func whatIsMissingIsNamed(_ file: String) throws {
        try Self.inFolder("state-only") { folder in
            try FileManager.default.removeItem(at: folder.appendingPathComponent(file))
            let error = #expect(throws: (any Error).self) { try PolicyModel(named: folder.path) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(file))
        }
    }

    @Test func stepsThatChangeActionsAreRefused() throws {
        try Self.inFolder("state-only") { folder in
            try Self.edit(folder, "policy_postprocessor.json") { json in
                var steps = json["steps"] as? [Any] ?? []
                steps.append(["registry_name": "relative_action_processor", "config": [String: Any]()])
                json["steps"] = steps
            }
            let error = #expect(throws: (any Error).self) { try PolicyModel(named: folder.path) }
            #expect("\(error.map { "\($0)" } ?? "")".contains("relative_action_processor"))
        }
    }
}
