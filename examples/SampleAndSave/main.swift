// Sixteen pictures of a bundled model, in a dozen network calls each in place of a hundred.
import DiffSpec

let model = try ImageModel(named: CommandLine.arguments.dropFirst().first ?? BundledModels.defaultModel)
let samples = try model.samples(16, steps: 100, window: 20, seed: 0)
for sample in samples {
    print("\(sample.index): \(sample.className ?? "picture"), \(sample.cost.calls) calls")
}
try Image.grid(samples.map(\.picture), scale: 3)?.writePNG(to: "samples.png")
