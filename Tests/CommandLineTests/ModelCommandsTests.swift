import Foundation
import NeuralNetwork
import Testing

extension CommandLineTests {
    @Suite("diffspec evaluate, inspect and models")
    struct ModelCommandsTests {
        /// The bundled models' golden cases, made by diffusers or PyTorch: to 1e-4 of the output's standard deviation.
        @Test(arguments: [
            "cifar10", "cifar10-draft", "cifar10-correction", "fashion-mnist", "fashion-mnist-draft",
            "fashion-mnist-correction", "mixture-2", "mixture-2-draft", "mixture-32", "mixture-32-draft", "pusht",
        ])
        func evaluateAgreesWithPyTorch(model: String) throws { try Self.expectGoldenCase(of: model) }

        /// So does the U-Net of the bundled pipeline, which is a folder in it.
        @Test func theUNetOfLatentsAgreesWithDiffusers() throws {
            try Self.expectGoldenCase(of: Program.repository.appendingPathComponent("weights/cifar10-latent/unet").path)
        }

        /// So they do with the kernels of lesser processors.
        @Test(arguments: ["fashion-mnist", "pusht"], ["portable", "avx2"])
        func everyKernelAgreesWithPyTorch(model: String, kernels: String) throws {
            try Self.expectGoldenCase(of: model, environment: ["DIFFSPEC_KERNELS": kernels])
        }

        private static func expectGoldenCase(of model: String, environment: [String: String] = [:]) throws {
            try Program.inFolder { folder in
                let own =
                    model.hasPrefix("/") ? model : Program.repository.appendingPathComponent("weights/\(model)").path
                let golden = own + "/case.safetensors"
                let outcome = try Program.run(
                    ["evaluate", "--model", model, "--input", golden, "--output", "o.safetensors"], in: folder,
                    environment: environment)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let expected = try SafetensorsFile(path: golden).floats(named: "output").map(Double.init)
                let found = try SafetensorsFile(path: folder.path + "/o.safetensors").floats(named: "output").map(
                    Double.init)
                let mean = expected.reduce(0, +) / Double(expected.count)
                let deviation = (expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(expected.count))
                    .squareRoot()
                #expect(found.count == expected.count)
                #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 * deviation })
            }
        }

        @Test func inspectSaysWhatIsThere() throws {
            try Program.inFolder { folder in
                // A folder that happens to have the model's name, but no model in it.
                let namesake = folder.appendingPathComponent("fashion-mnist")
                try FileManager.default.createDirectory(at: namesake, withIntermediateDirectories: false)
                let outcome = try Program.run(["inspect", "fashion-mnist", "--json"], in: folder)
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
                #expect(json["parameters"] as? Int == 1_624_577)
                #expect(json["classes"] as? Int == 10)
                #expect((json["tensors"] as? [Any])?.count == 269)
                #expect(
                    try Program.run(["inspect", "fashion-mnist"], in: folder).output.contains("parameters   1624577"))
            }
        }

        @Test func inspectKnowsNetworksOfMixtures() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(["inspect", "mixture-2-draft", "--json"], in: folder)
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
                #expect(json["architecture"] as? String == "VelocityMLP")
                #expect(json["parameters"] as? Int == 275_006)
                #expect(json["preprocessing"] as? [Int] == [4])
                #expect(try Program.run(["inspect", "mixture-32"], in: folder).output.contains("dimension 32"))
            }
        }

        @Test func modelsAreFoundFromAnywhere() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(["models"], in: folder)
                #expect(outcome.status == 0)
                #expect(outcome.output.contains("fashion-mnist ") && outcome.output.contains("fashion-mnist-draft "))
                #expect(outcome.output.contains("mixture-32 "))
            }
        }

        /// What drafts start from is stored with a model, and saves a call.
        @Test func calibrationSavesACall() throws {
            try Program.inFolder { folder in
                try FileManager.default.copyItem(
                    at: Program.repository.appendingPathComponent("weights/fashion-mnist-draft"),
                    to: folder.appendingPathComponent("model"))
                func calls() throws -> Double {
                    let outcome = try Program.run(
                        ["sample", "--model", "model", "--count", "8", "--steps", "40", "--report", "r.json"],
                        in: folder)
                    try #require(outcome.status == 0, "\(outcome.errors)")
                    let report = try SampleCommandTests.json(folder.appendingPathComponent("r.json"))
                    return try #require((report["nfe"] as? [String: Any])?["mean"] as? Double)
                }
                let before = try calls()
                let outcome = try Program.run(["calibrate", "model", "--count", "8"], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                #expect(
                    try SafetensorsFile(path: folder.path + "/model/prior.safetensors").shape(of: "denoised") == [
                        11, 1, 28, 28,
                    ])
                #expect(try calls() < before)
            }
        }
    }
}
