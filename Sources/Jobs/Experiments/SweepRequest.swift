import Diffusion
import Foundation
import Models
import Statistics

/// Calls over a grid of churn, temperature, draft, window and steps: the same samples in every cell.
public struct SweepRequest: Sendable {
    /// The model, the chain and the seed; whether samples fall back to plain steps.
    public var recipe: SamplingRecipe
    public var steps: [Int]
    public var churns = [0.1, 0.25, 0.5, 1]
    public var temperatures = [0.5, 1, 2]
    public var drafts: [DraftRecipe] = [.frozen, .independent, .recycled]
    public var windows: [WindowRecipe] = [.fixed(20)]
    /// Samples a cell.
    public var count = 16
    /// Samples under way at a time.
    public var batch = 16
    public var threads = Processors.available
    /// File for the table as CSV, which grows cell by cell; nil for none.
    public var table: String?
    /// Whether the cells of a table that was begun are taken over.
    public var resumes = false

    public init(_ recipe: SamplingRecipe) {
        self.recipe = recipe
        steps = [recipe.chain.steps]
    }

    private var settings: [Sweep.Setting] {
        steps.flatMap { steps in
            windows.flatMap { window in
                temperatures.flatMap { temperature in
                    churns.flatMap { churn in
                        drafts.map {
                            Sweep.Setting(
                                steps: steps, churn: churn, temperature: temperature, draft: $0, window: window)
                        }
                    }
                }
            }
        }
    }

    /// - Throws: what the monitor throws to end it; the cells that are measured are in the table then.
    public func run(monitor: any RunMonitor = NoMonitor()) throws -> Sweep {
        let model = try recipe.model.load(telling: monitor)
        let settings = settings
        var table = try table.map {
            try SweepTable(path: $0, resumes: resumes, count: count, seed: recipe.seed, job: fingerprint(of: model))
        }
        let total = settings.reduce(0) { $0 + $1.steps * count }
        monitor.begin("sweep", total: Double(total))
        defer { monitor.end() }
        var (cells, decided, measured) = ([Sweep.Cell](), 0, 0)
        for setting in settings {
            if let cell = table?.cell(of: setting) {
                cells.append(cell)
            } else {
                do {
                    let cell = try measure(setting, model) { steps in
                        try monitor.check()
                        monitor.update(done: Double(decided + steps)) { seconds in
                            "\(cells.count) of \(settings.count.counted("cell")), "
                                + "\((Double(measured + steps) / seconds).formatted(digits: 0)) steps/s"
                        }
                    }
                    cells.append(cell)
                    try table?.add(cell)
                } catch let interrupted as Interrupted {
                    guard let table, !table.cells.isEmpty else { throw interrupted }
                    throw interrupted.adding(
                        "\(table.cells.count) of \(settings.count.counted("cell")) are in \(table.path); the same command with --resume goes on"
                    )
                }
                measured += setting.steps * count
            }
            decided += setting.steps * count
        }
        try table?.finish(cells)
        return Sweep(
            model: recipe.model.name, count: count, fallback: recipe.speculation.fallsBack, seed: recipe.seed,
            cells: cells)
    }

    /// Of all that decides what a cell says beside its setting: the weights, the chain, the classes.
    private func fingerprint(of model: ImageModel) throws -> String {
        var recipe = recipe
        // What is swept, what stands in columns of its own, and what may be called otherwise elsewhere.
        (recipe.chain.steps, recipe.chain.churn, recipe.seed) = (1, 0, 0)
        (recipe.speculation.draft, recipe.speculation.window, recipe.speculation.rule) = (.none, .fixed(1), .reflection)
        recipe.model.name = ""
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var fingerprint = Fingerprint()
        fingerprint.combine(try encoder.encode(recipe))
        fingerprint.combine(Array(try Fingerprint.text(ofFolder: model.folder).utf8))
        return String(fingerprint.value, radix: 16)
    }

    private func measure(
        _ setting: Sweep.Setting, _ model: ImageModel, onRound: (_ steps: Int) throws -> Void
    ) throws -> Sweep.Cell {
        var recipe = recipe
        (recipe.chain.steps, recipe.chain.churn) = (setting.steps, setting.churn)
        recipe.speculation.draft = setting.draft
        recipe.speculation.window = setting.window
        recipe.speculation.rule = setting.temperature == 1 ? .reflection : .temperature(setting.temperature)
        let lanes = min(batch, count)
        try MemoryNeed.check(of: model, lanes: lanes, window: setting.window.longest(steps: setting.steps))
        let sampler = try model.sampler(recipe, lanes: lanes, threads: threads)
        var costs: [SamplingCost] = []
        try sampler.run(samples: 0..<count, lanes: lanes) { _, active in
            let underWay = active.reduce(0) { $0 + ($1.step < setting.steps ? $1.step : 0) }
            try onRound(costs.count * setting.steps + underWay)
        } onFinished: {
            costs.append($0.cost)
        }
        return Sweep.Cell(setting, costs: costs, isExact: sampler.isExact)
    }
}
