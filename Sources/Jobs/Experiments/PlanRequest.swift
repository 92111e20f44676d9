import Couplings
import Diffusion
import Models
import Statistics

/// What speculation would save: a few trajectories for every combination of steps, churn, draft and window, and the time
/// that a sample would take on other machines.
public struct PlanRequest: Sendable {
    /// The seed of the trajectories is its seed, the target its model and chain.
    public var recipe: SamplingRecipe
    public var steps: [Int]
    public var churns: [Double]
    public var windows: [WindowRecipe]
    public var drafts: [DraftRecipe] = [.recycled, .frozen]
    /// Numbers of workers to predict for, each as fast as this machine.
    public var workers = [1, 4, 16]
    /// Numbers of processes that exchange messages.
    public var ranks: [Int] = []
    /// What connects these.
    public var interconnect = Interconnect(latency: 0, bandwidth: 1e9)
    /// Trajectories of each combination.
    public var trajectories = 2
    /// Whether a time grid with equal rejections is looked for too, for the first of all steps, churns and drafts, and the usual window.
    public var balances = false
    public var threads = Processors.available

    public init(_ recipe: SamplingRecipe) {
        self.recipe = recipe
        (steps, churns) = ([recipe.chain.steps], [recipe.chain.churn])
        windows = [.fixed(5), .fixed(10), .fixed(20), .fixed(50), .adaptive, .auto]
    }

    /// A grid is found by so many trajectories at least: of fewer, the rejections of a step are anything.
    private static let balancingTrajectories = 16

    private func balanced(_ model: ImageModel, _ monitor: any RunMonitor) throws -> GridSearch.Result? {
        guard balances else { return nil }
        var recipe = recipe
        (recipe.chain.steps, recipe.chain.churn) = (steps[0], churns[0])
        (recipe.speculation.draft, recipe.speculation.window) = (drafts[0], SpeculationRecipe().window)
        let search = GridSearch(
            recipe: recipe, trajectories: max(trajectories, Self.balancingTrajectories), threads: threads)
        return try search.run(model, monitor: monitor)
    }

    public func run(monitor: any RunMonitor = NoMonitor()) throws -> Plan {
        let model = try recipe.model.load(telling: monitor)
        let combinations = steps.flatMap { steps in churns.map { (steps, $0) } }
        let total = combinations.reduce(0) { $0 + $1.0 } * drafts.count * windows.count * trajectories
        let balanced = try balanced(model, monitor)
        monitor.begin("planning", total: Double(total))
        var decided = 0
        defer { monitor.end() }
        var cells: [Plan.Cell] = []
        var plain: [Plan.Plain] = []
        var times: CallTimes?
        for (steps, churn) in combinations {
            var recipe = recipe
            (recipe.chain.steps, recipe.chain.churn) = (steps, churn)
            let chain = try model.chain(recipe.chain, subjects: recipe.classes, threads: threads)
            let callTimes = try times ?? CallTimes(of: chain, upTo: 64)
            times = callTimes
            plain.append(.init(steps: steps, churn: churn, seconds: Double(steps) * callTimes.seconds(rows: 1)))
            for draft in drafts {
                for window in windows {
                    try MemoryNeed.check(of: model, lanes: trajectories, window: window.longest(steps: steps))
                    recipe.speculation.draft = draft
                    recipe.speculation.window = window
                    let measured = MeasuredDenoiser(chain.denoiser)
                    let sampler = try recipe.speculation.sampler(
                        over: chain.replacing(denoiser: measured),
                        companions: model.companions(of: chain, recipe, threads: threads), pictures: model.picture,
                        random: RandomSource(seed: recipe.seed), lanes: 1, threads: threads, callTimes: callTimes)
                    let trial = try Trial(sampler, measuring: measured, count: trajectories) { step in
                        try monitor.check()
                        monitor.update(done: Double(decided + step)) { seconds in
                            "\(cells.count) of \(combinations.count * drafts.count * windows.count) cells, "
                                + "\((Double(decided + step) / seconds).formatted(digits: 0)) steps/s"
                        }
                    }
                    decided += steps * trajectories
                    cells.append(
                        .init(
                            steps: steps, churn: churn, draft: draft.name, window: window, trial: trial,
                            seconds: workers.map { trial.seconds(workers: $0, times: callTimes) },
                            rank_seconds: ranks.map {
                                trial.seconds(
                                    ranks: $0, over: interconnect, longest: window.longest(steps: steps),
                                    times: callTimes)
                            }))
                }
            }
        }
        return Plan(
            model: recipe.model.name, workers: workers, ranks: ranks, interconnect: interconnect, threads: threads,
            trajectories: trajectories, fallback: recipe.speculation.fallsBack, seed: recipe.seed,
            call_times: times?.points ?? [], plain: plain, cells: cells, balanced: balanced)
    }
}
