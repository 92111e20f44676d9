import Couplings
import Diffusion
import Models

/// A time grid on which drafts are rejected equally often, found by a few trajectories at a time.
struct GridSearch {
    /// What it found.
    struct Result: Encodable, Sendable {
        struct Grid: Encodable, Sendable {
            let nfe: Double
            /// Of the rejections over the steps, their standard deviation over their mean.
            let spread: Double
        }

        let draft: String
        let window: WindowRecipe
        let trajectories: Int
        /// On the grid that the search started from, and on the one found.
        let before: Grid
        let after: Grid
        let times: [Double]

        var text: String {
            """
            grid with equal rejections, for --draft \(draft) --window \(window.name), \(trajectories) trajectories: \
            NFE \(before.nfe.formatted(digits: 1)) → \(after.nfe.formatted(digits: 1)), spread of the rejections over the \
            steps \(before.spread.formatted(digits: 2)) → \(after.spread.formatted(digits: 2)). It is another chain with a law of its own.
            """
        }

        /// What `--times` reads.
        func write(to file: String) throws { try ["times": times].writeJSON(to: file) }
    }

    private static let rounds = 4

    let recipe: SamplingRecipe
    let trajectories: Int
    let threads: Int

    /// - Throws: `RecipeError` for a chain on its scheduler's own steps, whose times are no choice.
    func run(_ model: ImageModel, monitor: any RunMonitor) throws -> Result {
        guard [.sde, .exponential].contains(recipe.chain.kind) else {
            throw RecipeError(
                "chain", "\(recipe.chain.kind.rawValue) has training steps for times: take sde or exponential.")
        }
        let steps = recipe.chain.steps
        monitor.begin("balancing", total: Double(steps * trajectories * (Self.rounds + 1)))
        defer { monitor.end() }
        func measured(_ times: [Double]?, round: Int) throws -> (times: [Double], found: BalancedGrid.Rejections) {
            var recipe = recipe
            if let times {
                (recipe.chain.spacing, recipe.chain.rho) = (nil, nil)
                recipe.chain.take(GridRecipe(file: "", unit: .times, values: times))
            }
            let chain = try model.chain(recipe.chain, subjects: recipe.classes, threads: threads)
            let sampler = try recipe.speculation.sampler(
                over: chain, companions: model.companions(of: chain, recipe, threads: threads), pictures: model.picture,
                random: RandomSource(seed: recipe.seed), lanes: trajectories, threads: threads)
            let found = try BalancedGrid.Rejections(sampler, count: trajectories) { decided in
                try monitor.check()
                monitor.update(done: Double(round * steps * trajectories + decided)) { _ in
                    "grid \(round) of \(Self.rounds)"
                }
            }
            return (chain.steps.map(\.time) + [0], found)
        }
        let first = try measured(nil, round: 0)
        var (best, current) = (first, first)
        for round in 1...Self.rounds {
            current = try measured(
                BalancedGrid.shared(current.times, by: current.found.byStep), round: round)
            if current.found.spread < best.found.spread { best = current }
        }
        func grid(_ found: BalancedGrid.Rejections) -> Result.Grid { .init(nfe: found.calls, spread: found.spread) }
        return Result(
            draft: recipe.speculation.draft.name, window: recipe.speculation.window, trajectories: trajectories,
            before: grid(first.found), after: grid(best.found), times: best.times)
    }
}
