import Diffusion
import Imaging
import Models

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

    public func run(monitor: any RunMonitor = NoMonitor()) throws -> Sweep {
        let model = try recipe.model.load(telling: monitor)
        let settings = settings
        monitor.begin("sweep", total: Double(settings.count))
        defer { monitor.end() }
        var cells: [Sweep.Cell] = []
        for setting in settings {
            cells.append(try measure(setting, model, monitor))
            monitor.update(done: Double(cells.count)) { _ in "\(cells.count) of \(settings.count) cells" }
        }
        return Sweep(
            model: recipe.model.name, count: count, fallback: recipe.speculation.fallsBack, seed: recipe.seed,
            cells: cells)
    }

    private func measure(
        _ setting: Sweep.Setting, _ model: ImageModel, _ monitor: any RunMonitor
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
        try sampler.run(samples: 0..<count, lanes: lanes) { _, _ in
            try monitor.check()
        } onFinished: {
            costs.append($0.cost)
        }
        return Sweep.Cell(setting, costs: costs, isExact: sampler.isExact)
    }
}
