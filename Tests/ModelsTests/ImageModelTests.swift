import Diffusion
import Foundation
import NeuralNetwork
import Models
import Testing

@Suite("Model folders")
struct ImageModelTests {
    static let weights = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("weights")

    static func inCopy<Result>(of model: String, _ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID())")
        try FileManager.default.copyItem(at: weights.appendingPathComponent(model), to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    @Test func theBundledModelIsDescribed() throws {
        let model = try ImageModel(named: BundledModels.defaultModel)
        #expect(model.network.parameterCount == 1_624_577)
        #expect(model.picture == PictureShape(channels: 1, height: 28, width: 28))
        #expect(model.process.prediction == .vPrediction)
        #expect(model.process.schedule is CosineSchedule)
        #expect(model.classCount == 10 && model.process.nullClass == 10)
    }

    /// The denoiser's `x̂0` is `α x - σ v` of the network's own output at time `1000 t`.
    @Test func denoisedSamplesFollowFromTheNetwork() throws {
        let model = try ImageModel(named: "fashion-mnist-draft")
        let time = 0.4
        let state = (0..<784).map { sin(Double($0)) }
        let denoised = try model.denoiser(threads: 1).denoised([
            DenoiserQuery(state: state, time: time, condition: .label(3))
        ])
        let output = try model.network.predict(
            sample: state.map { Float($0) }, batch: 1, height: 28, width: 28, timesteps: [400], labels: [3], threads: 1)
        for i in state.indices {
            let expected = cos(.pi / 2 * time) * state[i] - sin(.pi / 2 * time) * Double(output[i])
            #expect(abs(denoised[0][i] - expected) < 1e-12)
        }
    }

    /// Without a label the "no class" one is meant.
    @Test func noConditionIsTheNullClass() throws {
        let denoiser = try ImageModel(named: "fashion-mnist-draft").denoiser(threads: 1)
        let state = [Double](repeating: 0.1, count: 784)
        func answer(_ condition: Condition) throws -> [[Double]] {
            try denoiser.denoised([DenoiserQuery(state: state, time: 0.5, condition: condition)])
        }
        #expect(try answer(.none) == answer(.label(10)))
        #expect(try answer(.none) != answer(.label(1)))
    }

    /// A diffusers pipeline: network under `unet/`, betas in `scheduler/`.
    @Test func pipelinesAreRead() throws {
        try Self.inCopy(of: "fashion-mnist-draft") { folder in
            let files = FileManager.default
            let (unet, scheduler) = (folder.appendingPathComponent("unet"), folder.appendingPathComponent("scheduler"))
            for sub in [unet, scheduler] { try files.createDirectory(at: sub, withIntermediateDirectories: true) }
            for file in ["config.json", "diffusion_pytorch_model.safetensors"] {
                try files.moveItem(at: folder.appendingPathComponent(file), to: unet.appendingPathComponent(file))
            }
            try files.removeItem(at: folder.appendingPathComponent("process.json"))
            let description = """
                {"_class_name": "DDPMScheduler", "num_train_timesteps": 500, "beta_schedule": "squaredcos_cap_v2",
                 "prediction_type": "sample", "timestep_spacing": "trailing", "clip_sample": true, "clip_sample_range": 2}
                """
            let file = scheduler.appendingPathComponent("scheduler_config.json")
            try description.write(to: file, atomically: true, encoding: .utf8)

            let model = try ImageModel(named: folder.path)
            #expect(model.process.prediction == .sample)
            #expect(model.process.ancestral?.betas.trainingSteps == 500)
            #expect(model.process.ancestral?.options.spacing == .trailing)
            #expect(model.process.ancestral?.options.bounds == -2...2)
            #expect(model.classCount == 11)

            let overridden = try ImageModel(named: folder.path, schedule: .flow)
            #expect(overridden.process.schedule is FlowSchedule && overridden.process.ancestral == nil)

            for (key, value) in [
                ("beta_schedule", "\"quadratic\""), ("prediction_type", "\"flow_prediction\""),
                ("num_train_timesteps", "0"), ("beta_end", "\"x\""),
                ("trained_betas", "[0.1, 2]"),
            ] {
                try "{\"_class_name\": \"DDPMScheduler\", \"\(key)\": \(value)}".write(
                    to: file, atomically: true, encoding: .utf8)
                #expect(throws: (any Error).self, "\(key)") { try ImageModel(named: folder.path) }
            }
        }
    }

    @Test func unknownModelsAreNamedWithTheKnownOnes() {
        let error = #expect(throws: ModelError.self) { try BundledModels.folder("no-such-model") }
        #expect(error?.description.contains("fashion-mnist") == true)
        for path in ["", "..", "/", "a/../b"] {
            #expect(throws: (any Error).self) { try ImageModel(named: path) }
        }
    }
}
