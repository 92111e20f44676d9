import Foundation
import NeuralNetwork
import Testing

extension CommandLineTests {
    @Suite("diffspec sample --rule autoencoder")
    struct AutoencoderRuleTests {
        /// A network of one level for pictures of one channel: that of the fixture, less what it has for three more.
        /// - Parameter isBlind: whether it returns the same for everything.
        private static func writeAutoencoder(to folder: URL, isBlind: Bool) throws {
            let fixture = Program.repository.appendingPathComponent("Tests/NeuralNetworkTests/Fixtures/one-level")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let configuration = try String(contentsOf: fixture.appendingPathComponent("config.json"), encoding: .utf8)
                .replacingOccurrences(of: "\"in_channels\": 4", with: "\"in_channels\": 1")
                .replacingOccurrences(of: "\"out_channels\": 4", with: "\"out_channels\": 1")
            try Data(configuration.utf8).write(to: folder.appendingPathComponent("config.json"))

            let weights = "diffusion_pytorch_model.safetensors"
            let source = try SafetensorsFile(path: fixture.appendingPathComponent(weights).path)
            let tensors = try source.tensorNames.sorted().map { name in
                var shape = try #require(source.shape(of: name))
                var values = try source.floats(named: name)
                if name == "conv_in.weight" {
                    // [8, 4, 3, 3]: the first of every four filters.
                    values = (0..<shape[0]).flatMap { values[$0 * shape[1] * 9..<($0 * shape[1] + 1) * 9] }
                    shape[1] = 1
                } else if name.hasPrefix("conv_out") {
                    values = isBlind ? values.map { _ in 0 } : values
                    values = Array(values.prefix(values.count / shape[0]))
                    shape[0] = 1
                }
                return (name: name, shape: shape, values: values)
            }
            let writer = try SafetensorsWriter(
                path: folder.appendingPathComponent(weights).path, tensors: tensors.map { ($0.name, $0.shape) })
            for tensor in tensors { try writer.append(tensor.values) }
            try writer.finish()
        }

        private struct Run {
            let samples: [Float]
            let report: [String: Any]
        }

        private static func run(_ rule: String, in folder: URL) throws -> Run {
            let outcome = try Program.run(
                ["sample"] + SampleCommandTests.quick + [
                    "--churn", "1", "--draft", "frozen-denoiser", "--no-fallback", "--count", "4", "--rule", rule,
                    "--quiet",
                    "--tensors", "t.safetensors", "--report", "r.json",
                ], in: folder)
            try #require(outcome.status == 0, "\(outcome.errors)")
            return Run(
                samples: try SafetensorsFile(path: folder.path + "/t.safetensors").floats(named: "samples"),
                report: try SampleCommandTests.json(folder.appendingPathComponent("r.json")))
        }

        /// A network to which all states are alike says nothing of Δ, and the rule is Algorithm 4 to the bit; one that sees
        /// something decides otherwise. Neither is exact, by the report.
        @Test func theNetworkDecides() throws {
            try Program.inFolder { folder in
                for name in ["blind", "seeing"] {
                    try Self.writeAutoencoder(to: folder.appendingPathComponent(name), isBlind: name == "blind")
                }
                let reflection = try Self.run("reflection", in: folder)
                let blind = try Self.run("autoencoder:blind", in: folder)
                let seeing = try Self.run("autoencoder:seeing", in: folder)
                #expect(blind.samples == reflection.samples)
                #expect(seeing.samples != reflection.samples && seeing.samples.allSatisfy(\.isFinite))
                #expect(reflection.report["exact"] as? Bool == true)
                for (run, name) in [(blind, "blind"), (seeing, "seeing")] {
                    #expect(run.report["exact"] as? Bool == false)
                    #expect(run.report["rule"] as? String == "autoencoder:\(name)")
                }
                // Something was rejected, or the rules could not have differed.
                #expect(try #require(reflection.report["acceptance"] as? Double) < 1)
            }
        }

        /// A network with classes, or of other channels, is no autoencoder of these pictures.
        @Test(arguments: [
            ("Tests/NeuralNetworkTests/Fixtures/one-level", "in_channels"), ("weights/fashion-mnist-draft", "class"),
        ])
        func otherNetworksAreRefused(folder: String, word: String) throws {
            try Program.inFolder { place in
                let network = Program.repository.appendingPathComponent(folder).path
                let outcome = try Program.run(
                    ["sample"] + SampleCommandTests.quick + ["--rule", "autoencoder:\(network)", "--count", "1"],
                    in: place)
                #expect(outcome.status != 0 && outcome.errors.contains(word), "\(outcome.errors)")
            }
        }
    }
}
