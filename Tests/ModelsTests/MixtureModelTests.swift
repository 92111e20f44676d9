import Diffusion
import Foundation
import NeuralNetwork
import Models
import Testing

@Suite("Networks of mixtures")
struct MixtureModelTests {
    static func inCopy<Result>(of model: String, _ body: (URL) throws -> Result) throws -> Result {
        try ImageModelTests.inCopy(of: model, body)
    }

    /// The bundled mixtures are those of `diffspec mixture`'s default seed, and the networks' kind is recognised.
    @Test(arguments: [2, 32]) func bundledMixturesAreTheDefaultOnes(dimension: Int) throws {
        for name in ["mixture-\(dimension)", "mixture-\(dimension)-draft"] {
            #expect(try ModelKind.of(folder: BundledModels.folder(name)) is MixtureModel.Type)
            let model = try MixtureModel(named: name)
            #expect(model.dimension == dimension && model.noise.prediction == .velocity)
            #expect(
                model.file.components == GaussianMixture.randomComponents(count: 16, dimension: dimension, seed: 0))
        }
        #expect(try ModelKind.of(folder: BundledModels.folder("fashion-mnist")) is ImageModel.Type)
    }

    /// Near the data the target denoises as the component's own closed form does: to a tenth of the deviation of the data
    /// about the mean, root mean square, over states of the process and times.
    @Test(arguments: [2, 32]) func theTargetHasLearntItsMixture(dimension: Int) throws {
        let model = try MixtureModel(named: "mixture-\(dimension)")
        var squares = 0.0
        for label in model.file.components.indices {
            let exact = try GaussianMixture(components: [model.file.components[label]], schedule: CosineSchedule())
            for time in [0.1, 0.3, 0.5, 0.7, 0.9] {
                let (alpha, sigma) = (cos(.pi / 2 * time), sin(.pi / 2 * time))
                let state = model.file.components[label].mean.enumerated().map {
                    alpha * $1 + sigma * sin(Double(7 * $0 + 3))
                }
                let query = [DenoiserQuery(state: state, time: time, condition: .label(label))]
                let (found, expected) = (try model.denoiser.denoised(query)[0], try exact.denoised(query)[0])
                squares += zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(dimension)
            }
        }
        // The means are uniform in [-2, 2]: deviation 1.15.
        #expect((squares / Double(5 * model.file.components.count)).squareRoot() < 0.12)
    }

    @Test func denoisingNeedsALabel() throws {
        let model = try MixtureModel(named: "mixture-2")
        let query = DenoiserQuery(state: [0, 0], time: 0.5, condition: .none)
        #expect(throws: DiffusionError.self) { try model.denoiser.denoised([query]) }
    }

    /// Every broken file is named.
    @Test(arguments: [
        ("process.json", #"{"schedule": "cosine", "prediction": "velocity"}"#),
        ("process.json", #"{"schedule": "cosine", "prediction": "velocity", "time_scale": -1}"#),
        ("process.json", #"{"schedule": "sine", "prediction": "velocity", "time_scale": 1000}"#),
        ("mixture.json", "[]"), ("mixture.json", "{"),
        ("mixture.json", #"{"components": [{"weight": 1, "mean": [0, 0], "standard_deviation": 0.1}]}"#),
        ("config.json", #"{"_class_name": "VelocityMLP"}"#),
    ])
    func brokenFoldersAreNamed(file: String, text: String) throws {
        try Self.inCopy(of: "mixture-2-draft") { folder in
            try text.write(to: folder.appendingPathComponent(file), atomically: true, encoding: .utf8)
            let error = #expect(throws: (any Error).self) { try MixtureModel(named: folder.path) }
            #expect("\(try #require(error))".contains(file))
        }
    }

    /// A mixture that is none: the deviation isn't positive, there is no component.
    @Test(arguments: [
        #"{"components": []}"#,
        #"{"components": [{"weight": 1, "mean": [0, 0], "standard_deviation": 0}]}"#,
        #"{"components": [{"weight": 1, "mean": [], "standard_deviation": 1}]}"#,
    ])
    func brokenMixturesAreRefused(text: String) throws {
        try Self.inCopy(of: "mixture-2-draft") { folder in
            try text.write(to: folder.appendingPathComponent("mixture.json"), atomically: true, encoding: .utf8)
            #expect(throws: (any Error).self) { try MixtureModel(named: folder.path) }
        }
    }
}
