import ArgumentParser
import Couplings
import Diffusion
import Foundation
import NeuralNetwork
import Models

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Store with a model what drafts profit from.",
        discussion: "None of it touches exactness: a bad draft costs calls, and nothing else.",
        subcommands: [CalibratePriorCommand.self, CalibrateMixtureCommand.self],
        defaultSubcommand: CalibratePriorCommand.self)
}

struct CalibratePriorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prior",
        abstract: "Store what drafts can start from, before the model has been asked at all.",
        discussion: """
            Writes prior.safetensors into the model folder: for each class the mean of what the network denoises pure \
            noise to. The recycled draft then drafts its first window from it and saves a call a sample.
            """)

    @Argument(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model: String

    @Option(parsing: .unconditional, help: .init("Draws of noise for each class.", valueName: "N"))
    var count = 64

    @Option(parsing: .unconditional, help: .init("Seed.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: .init("Processor cores to use (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...100_000).contains(count) else {
            throw ValidationError("--count must be from 1 to 100000, found \(count).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
    }

    func run() throws {
        Interruption.watch()
        let folder = try BundledModels.folder(model)
        let path = URL(fileURLWithPath: folder).appendingPathComponent(PretrainedModel.priorFile).path
        try OutputError.checkWritable(file: path)
        let pretrained = try PretrainedModel(folder: folder)
        let process = pretrained.process
        let denoiser = pretrained.denoiser(threads: threads)
        let labels: [Int?] = pretrained.labelCount == 0 ? [nil] : (0..<pretrained.labelCount).map { $0 }
        let random = RandomSource(seed: seed)

        let writer = try SafetensorsWriter(
            path: path,
            tensors: [
                (
                    "denoised",
                    [labels.count, pretrained.network.configuration.inChannels, process.height, process.width]
                )
            ])
        defer { writer.cancel() }
        for label in labels {
            var mean = [Double](repeating: 0, count: denoiser.dimension)
            for first in stride(from: 0, to: count, by: 64) {
                try Interruption.check()
                let queries = (first..<min(first + 64, count)).map { draw in
                    var stream = random.stream(sample: draw, step: 0, purpose: .auxiliary)
                    return DenoiserQuery(
                        state: stream.normals(denoiser.dimension), time: process.schedule.maximalTime, condition: label)
                }
                for denoised in try denoiser.denoised(queries) {
                    for i in mean.indices { mean[i] += denoised[i] / Double(count) }
                }
            }
            try writer.append(mean.map { Float($0) })
        }
        try writer.finish()
        print("\(model): wrote \(path)")
    }
}
