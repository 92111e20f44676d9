import Couplings
import Diffusion
import Foundation
import Models
import NeuralNetwork
import Testing

/// An architecture of this file alone: it scales each picture by a number that its class has.
private struct ScalingNetwork: ImageNetwork {
    static let className = "ScalingNetwork"

    let scales: [Float]
    let inChannels = 1
    let outChannels = 1
    let trainedSize: (height: Int, width: Int)? = (4, 4)
    var labelCount: Int { scales.count }
    let parameters: [NetworkParameter] = []
    var parameterCount: Int { scales.count }
    let levels = ImageNetworkLevels(channels: [1])

    init(folder: String) throws {
        let weights = try SafetensorsFile(path: folder + "/diffusion_pytorch_model.safetensors")
        scales = try weights.floats(named: "scale")
    }

    func floatingPointOperations(height: Int, width: Int) -> Double { Double(height * width) }

    func predict(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], labels: [Int]?, threads: Int
    ) throws -> [Float] {
        sample.enumerated().map { index, value in
            value * scales[labels?[index / (height * width)] ?? 0]
        }
    }
}

/// A draft of this file alone: what the target said last, and half way to the state.
private struct HalfwayDraft: Draft {
    var recyclesTarget: Bool { true }

    func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        windows.map { window in
            let known = window.latestEvaluation?.evaluation.prediction ?? window.currentState
            return chain.mean(
                step: window.currentStep, state: window.currentState,
                prediction: Vector.combine(0.9, known, 0.1, window.currentState))
        }
    }
}

/// A further architecture and a further draft need no change to any file of the library.
@Suite("Architectures and drafts of one's own")
struct OwnArchitectureTests {
    private static func inFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = """
            {"schedule": "cosine", "prediction": "sample", "time_scale": 1, "classes": ["dark", "light"],
             "image": {"height": 4, "width": 4, "channels": 1}}
            """
        try "{\"_class_name\": \"ScalingNetwork\"}"
            .write(to: folder.appendingPathComponent("config.json"), atomically: true, encoding: .utf8)
        try process.write(to: folder.appendingPathComponent("process.json"), atomically: true, encoding: .utf8)
        let writer = try SafetensorsWriter(
            path: folder.appendingPathComponent("diffusion_pytorch_model.safetensors").path,
            tensors: [("scale", [2])])
        try writer.append([0.1, 0.6])
        try writer.finish()
        return try body(folder.path)
    }

    private static func load(_ folder: String) throws -> ImageModel {
        try ImageModel(named: folder, schedule: nil, architectures: ImageModel.architectures + [ScalingNetwork.self])
    }

    @Test func anArchitectureIsSampled() throws {
        try Self.inFolder { folder in
            let model = try Self.load(folder)
            #expect(model.classCount == 2 && model.picture == PictureShape(channels: 1, height: 4, width: 4))
            let samples = try model.samples(6, steps: 40, window: 10, classes: ["light", "dark"], seed: 3)
            #expect(samples.map(\.className) == ["light", "dark", "light", "dark", "light", "dark"])
            #expect(samples.allSatisfy { $0.isExact && $0.cost.calls < 40 && $0.values.allSatisfy(\.isFinite) })
            // Of others the reader says what it knows.
            #expect(throws: CheckpointError.self) { try ImageModel(named: folder) }
        }
    }

    @Test func aDraftIsSampledWith() throws {
        try Self.inFolder { folder in
            let model = try Self.load(folder)
            var recipe = SamplingRecipe(chain: ChainRecipe(steps: 40), seed: 3)
            recipe.speculation.window = .fixed(10)
            func samples(_ draft: (any Draft)?, _ recipe: SamplingRecipe) throws -> [ImageSample] {
                var samples: [ImageSample] = []
                try model.samples(0..<400, by: recipe, draft: draft) { samples.append($0) }
                return samples
            }
            let own = try samples(HalfwayDraft(), recipe)
            recipe.seed = 4
            let plain = try samples(nil, recipe.plain)
            #expect(own.allSatisfy { $0.isExact })
            #expect(own.reduce(0) { $0 + $1.cost.calls } < 400 * 40)
            // The same law: the variance of all pixels of a class, 3,200 of them, each way. Its relative standard error is
            // √(2/n) = 0.025 for Gaussian pixels, 0.035 for the difference of two; five of them.
            for label in 0..<2 {
                func variance(_ samples: [ImageSample]) -> Double {
                    let pixels = samples.filter { $0.label == label }.flatMap(\.values)
                    return pixels.reduce(0) { $0 + $1 * $1 } / Double(pixels.count)
                }
                #expect(abs(variance(own) / variance(plain) - 1) < 5 * 0.035, "class \(label)")
            }
        }
    }
}
