import Couplings
import Diffusion
import Models
import NeuralNetwork
import Statistics

/// What drafts have to guess, recorded to train one on: a row for every state that the target was asked at.
public struct Recording: RunResult {
    let model: String
    let rows: Int
    let file: String

    public var text: String { "\(model): wrote \(rows.counted("row")) to \(file)" }

    /// - Parameters:
    ///   - recipe: the model, the chain and the seed.
    ///   - rows: how many to record.
    ///   - batch: samples under way at a time.
    ///   - threads: cores to use, at least 1; changes no result.
    ///   - file: safetensors; see `diffspec record --help` for what is in it.
    ///   - monitor: is told how far the run is, and may end it.
    public static func run(
        _ recipe: SamplingRecipe, rows: Int, batch: Int, threads: Int, to file: String,
        monitor: any RunMonitor = NoMonitor()
    ) throws -> Recording {
        guard recipe.speculation.draft != .none else {
            throw RecipeError("draft", "none guesses nothing that could be recorded.")
        }
        let model = try recipe.model.load(telling: monitor)
        try MemoryNeed.check(
            of: model, lanes: batch, window: recipe.speculation.window.longest(steps: recipe.chain.steps))
        let sampler = try model.sampler(recipe, lanes: batch, threads: threads)
        let chain = sampler.chain

        let picture = [model.picture.channels, model.picture.height, model.picture.width]
        let columns = ["time", "source_time", "weight", "label", "sample"]
        let writer = try SafetensorsWriter(
            path: file, tensors: [("examples", [rows, 5] + picture)] + columns.map { ($0, [rows]) })
        defer { writer.cancel() }
        var keys = [[Float]](repeating: [], count: columns.count)
        monitor.begin("recording", total: Double(rows))
        defer { monitor.end() }

        var active = (0..<batch).map { sampler.start(sample: $0) }
        var next = batch
        while keys[0].count < rows {
            try monitor.check()
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
            monitor.update(done: Double(keys[0].count)) { _ in "\(keys[0].count) of \(rows) rows" }
        }
        for column in keys { try writer.append(column) }
        try writer.finish()
        return Recording(model: recipe.model.name, rows: rows, file: file)
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
            Self.label(chain.condition(ofSample: window.sample)), Double(window.sample),
        ]
    }

    private static func label(_ condition: Condition) -> Double {
        if case .label(let label) = condition { Double(label) } else { -1 }
    }
}
