import ArgumentParser
import Couplings
import Diffusion
import Foundation
import NeuralNetwork
import Models

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record what drafts have to guess, to train one on.",
        discussion: """
            Samples, and writes a row for every state that the target was asked at: the state and the target's answer \
            there, and what the corrected draft would have known of it: the recycled draft's guess, the newest state at a \
            step not beyond that the target was asked at, and where the path now passes at that step. \
            weights/training/train_correction.py makes a network for --draft corrected from such files.

            The file is safetensors, Float32, with the tensor "examples" [R, 5, C, H, W] (state, moved source \
            state, source state, guess, x̂0) and the tensors "time", "source_time", "weight" (by which an error of x̂0 \
            moves ‖Δ‖), "label" and "sample" [R]. Where nothing was known of the target yet, source_time is -1, the \
            source's states are 0, and the guess is the model's prior, or the state.
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(parsing: .unconditional, help: WindowOption.help, transform: WindowOption.init)
    var window = WindowOption.fixed(20)

    @Option(help: DraftOption.help)
    var draft = DraftOption.recycled

    @Option(help: DraftOption.modelHelp)
    var draftModel: String?

    @Option(parsing: .unconditional, help: .init("Rows to record, about 2 K of each sample.", valueName: "R"))
    var rows = 20_000

    @Option(parsing: .unconditional, help: .init("Samples under way at a time.", valueName: "N"))
    var batch = 16

    @Option(help: .init("Seed.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: .init("Processor cores to use (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: .init("The file to write.", valueName: "file"))
    var out = "examples.safetensors"

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        guard (1...10_000_000).contains(rows) else {
            throw ValidationError("--rows must be from 1 to 10000000, found \(rows).")
        }
        guard (1...4096).contains(batch) else {
            throw ValidationError("--batch must be from 1 to 4096, found \(batch).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
        guard draft != .none else { throw ValidationError("--draft none guesses nothing that could be recorded.") }
    }

    func run() throws {
        Interruption.watch()
        try OutputError.checkWritable(file: out)
        let pretrained = try model.load()
        try MemoryNeed.check(of: pretrained, lanes: batch, window: window.longest(steps: model.steps))
        let chain = try model.chain(over: pretrained, threads: threads)
        guard
            let draft = try draft.draft(
                over: chain, companions: model.companions(of: pretrained, chain, named: draftModel, threads: threads))
        else { return }
        let sampler = SpeculativeSampler(
            chain: chain, draft: draft, window: try window.policy(for: chain, lanes: batch),
            random: RandomSource(seed: seed))

        let process = pretrained.process
        let image = [pretrained.network.configuration.inChannels, process.height, process.width]
        let columns = ["time", "source_time", "weight", "label", "sample"]
        let writer = try SafetensorsWriter(
            path: out, tensors: [("examples", [rows, 5] + image)] + columns.map { ($0, [rows]) })
        defer { writer.cancel() }
        var keys = [[Float]](repeating: [], count: columns.count)
        var progress = Progress("recording", total: Double(rows), isQuiet: quiet)

        var active = (0..<batch).map { sampler.start(sample: $0) }
        var next = batch
        while keys[0].count < rows {
            try Interruption.check()
            let info = try sampler.step(&active)
            for scored in info.scored {
                for (step, prediction) in scored.answers where keys[0].count < rows {
                    let example = Example(of: scored.window, step: step, prediction: prediction, chain: chain)
                    for part in example.parts { try writer.append(part.lazy.map { Float($0) }) }
                    for (column, key) in example.keys.enumerated() { keys[column].append(Float(key)) }
                }
            }
            for i in active.indices where active[i].step == chain.stepCount {
                active[i] = sampler.start(sample: next)
                next += 1
            }
            progress.update(done: Double(keys[0].count)) { _ in "\(keys[0].count) of \(rows) rows" }
        }
        progress.finish()
        for column in keys { try writer.append(column) }
        try writer.finish()
        if !quiet { print("\(model.model): wrote \(rows) rows to \(out)") }
    }
}

/// One row: what the draft of a step knew, and what it should have known.
private struct Example {
    let parts: [[Double]]
    let keys: [Double]

    init(of window: DraftWindow, step: Int, prediction: [Double], chain: DenoisingChain) {
        let transition = chain.transition(at: step)
        let query = CorrectionQuery(of: window.cut(at: step), chain: chain)
        let nothing = [Double](repeating: 0, count: prediction.count)
        parts = [
            query.query.state, query.source?.movedState ?? nothing, query.source?.state ?? nothing, query.answer,
            prediction,
        ]
        keys = [
            chain.steps[step].time, query.source.map { chain.steps[$0.step].time } ?? -1,
            transition.standardDeviation > 0 ? abs(transition.predictionCoefficient) / transition.standardDeviation : 0,
            chain.condition(ofSample: window.sample).map(Double.init) ?? -1, Double(window.sample),
        ]
    }
}
