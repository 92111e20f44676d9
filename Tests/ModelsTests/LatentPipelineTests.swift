import Diffusion
import Foundation
import Models
import NeuralNetwork
import Testing

/// Small pipelines with random weights, and what diffusers makes of the same noise at the last training step:
/// `Benchmarks/fidelity/compare_pipelines.py` makes them.
@Suite struct LatentPipelineTests {
    private static let texts = ["a photo of the cat", "a horse on mars"]

    private static func folder(_ name: String) throws -> String {
        try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/pipelines/\(name)").path
    }

    private static func model(_ name: String) throws -> ImageModel {
        let isText = name != "LDMPipeline"
        return try ImageModel(
            named: folder(name), schedule: nil,
            prompts: isText ? Prompts(texts, negative: name.hasSuffix("-negative") ? "a dog" : nil) : Prompts())
    }

    private static func difference(_ found: [Double], _ expected: [Double]) -> Double {
        let mean = expected.reduce(0, +) / Double(expected.count)
        let variance = expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(expected.count)
        let largest = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        return found.count == expected.count ? largest / variance.squareRoot() : .infinity
    }

    /// Text, guidance, sizes and decoding are what diffusers makes of them. At the noisiest step the denoised latent is the
    /// network's output times σ/α ≈ 15, so rounding is a hundred units in the last place rather than ten.
    @Test(arguments: ["LDMPipeline", "StableDiffusionPipeline", "StableDiffusionXLPipeline-negative"])
    func agreesWithDiffusers(_ name: String) throws {
        let model = try Self.model(name)
        let golden = try SafetensorsFile(path: Self.folder(name) + "/case.safetensors")
        let size = model.picture.size
        func rows(_ tensor: String, _ size: Int) throws -> [[Double]] {
            let values = try golden.floats(named: tensor).map(Double.init)
            return (0..<2).map { Array(values[$0 * size..<($0 + 1) * size]) }
        }
        let noise = try rows("noise", size)
        var recipe = ChainRecipe(steps: 1, churn: 0)
        recipe.denoisesLastStep = true
        recipe.guidance = name == "LDMPipeline" ? 0 : 6.5
        let chain = try model.chain(recipe, subjects: [], threads: 2)
        let queries = noise.enumerated().map { ChainQuery(sample: $0, step: 0, state: $1) }
        let found = try chain.predictions(for: queries)
        for (row, expected) in try rows("denoised", size).enumerated() {
            #expect(Self.difference(found[row], expected) < 1e-3)
            // Alone, a row has the same bits.
            #expect(try chain.predictions(for: [queries[row]]) == [found[row]])
        }
        let decoder = try #require(model.decoder)
        for (row, expected) in try rows("decoded", decoder.picture.size).enumerated() {
            let latent = try rows("denoised", size)[row]
            #expect(Self.difference(try decoder.picture(of: latent, threads: 2), expected) < 1e-3)
        }
    }

    /// A part that is missing is named, and the pipeline that needs it.
    @Test(arguments: ["vqvae", "unet"]) func missingPartsAreNamed(part: String) throws {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID())")
        defer { try? FileManager.default.removeItem(at: copy) }
        try FileManager.default.copyItem(atPath: Self.folder("LDMPipeline"), toPath: copy.path)
        try FileManager.default.removeItem(at: copy.appendingPathComponent(part))
        let error = #expect(throws: (any Error).self) { try ImageModel(named: copy.path) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(part) && (part == "unet" || text.contains("LDMPipeline")), "\(text)")
    }

    /// A pipeline of ours says its process in `process.json`, in place of a scheduler, and may name its classes.
    @Test func readsOurOwnProcess() throws {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID())")
        defer { try? FileManager.default.removeItem(at: copy) }
        try FileManager.default.copyItem(atPath: Self.folder("LDMPipeline"), toPath: copy.path)
        try FileManager.default.removeItem(at: copy.appendingPathComponent("scheduler"))
        #expect(throws: (any Error).self) { try ImageModel(named: copy.path) }
        let published = try Self.model("LDMPipeline")
        func write(channels: Int) throws {
            try Data(
                """
                {"schedule": "cosine", "prediction": "v_prediction", "time_scale": 1000,
                 "image": {"height": 8, "width": 12, "channels": \(channels)}}
                """.utf8
            ).write(to: copy.appendingPathComponent("process.json"))
        }
        try write(channels: published.picture.channels)
        let model = try ImageModel(named: copy.path)
        #expect(model.process.scheduleName == "cosine" && model.process.prediction == .vPrediction)
        #expect(model.picture.height == 8 && model.picture.width == 12)
        #expect(model.shown.width * 8 == model.shown.height * 12 && model.shown.channels == 3)
        try write(channels: 7)
        #expect(throws: ModelError.self) { try ImageModel(named: copy.path) }
    }

    /// The bundled model of latents has classes, and makes pictures of its samples.
    @Test func theBundledLatentsHaveClasses() throws {
        let model = try ImageModel(named: "cifar10-latent")
        #expect(model.picture.channels == 4 && model.picture.height == 8 && model.picture.width == 8)
        #expect(model.shown.channels == 3 && model.shown.height == 32)
        #expect(model.classCount == 10 && model.className(8) == "ship" && model.process.nullClass == 10)
        #expect(model.priors.count == 11)
        let samples = try model.samples(1, steps: 10, window: 5, classes: ["ship"], seed: 1)
        // A sample is shown decoded, and hardly a pixel is beyond what pictures hold.
        for sample in samples {
            #expect(sample.values.count == 3 * 32 * 32 && sample.values.allSatisfy { abs($0) < 2 })
            #expect(sample.className == "ship")
        }
    }

    @Test func asksForPrompts() throws {
        #expect(throws: RecipeError.self) {
            try ImageModel(named: Self.folder("StableDiffusionPipeline"), schedule: nil)
        }
        #expect(throws: RecipeError.self) {
            try ImageModel(named: Self.folder("LDMPipeline"), schedule: nil, prompts: Prompts(["a"]))
        }
        #expect(throws: RecipeError.self) {
            try ImageModel(named: BundledModels.defaultModel, schedule: nil, prompts: Prompts(["a"]))
        }
    }
}
