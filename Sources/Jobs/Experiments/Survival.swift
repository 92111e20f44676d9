import Couplings
import Diffusion
import Imaging
import Models
import Statistics

/// How long a draft survives: the law of the time to rejection, by a particle filter and as seen.
public struct Survival: RunResult {
    let model, draft: String
    let steps: Int
    let churn: Double
    let start, particles: Int
    let seed: UInt64
    /// `P(τ > k)` for k = 0, 1, …
    let filtered, observed: [Double]
    /// `Σ_{k<W} P(τ > k)` for W = 1, 2, …
    let decided_steps: [Double]

    /// - Parameters:
    ///   - recipe: the target and the draft; its window and rule are left aside.
    ///   - horizon: the largest `k`.
    ///   - start: plain steps before the first draft.
    ///   - particles: of the filter, and windows observed.
    ///   - threads: cores to use, at least 1; changes no result.
    ///   - monitor: is told what of the model's files is not followed.
    public static func run(
        _ recipe: SamplingRecipe, horizon: Int, start: Int, particles: Int, threads: Int,
        monitor: any RunMonitor = NoMonitor()
    ) throws -> Survival {
        guard horizon >= 1, start >= 0, horizon <= recipe.chain.steps, start <= recipe.chain.steps - horizon else {
            throw RecipeError(
                "start",
                "and --horizon must lie within the chain's \(recipe.chain.steps) steps, found \(start) and \(horizon).")
        }
        let model = try recipe.model.load(telling: monitor)
        try MemoryNeed.check(of: model, lanes: particles, window: horizon)
        let chain = try model.chain(recipe.chain, subjects: recipe.classes, threads: threads)
        let companions = model.companions(of: chain, recipe, threads: threads)
        guard let draft = try recipe.speculation.draft.draft(over: chain, companions: companions) else {
            throw RecipeError("draft", "none drafts nothing that could be rejected.")
        }
        let filtered = try TimeToRejection.particleFilter(
            chain: chain, draft: draft, horizon: horizon, start: start, particles: particles,
            random: RandomSource(seed: recipe.seed))
        // Other noise than the filter's, so that the two agree only if both are right.
        let observed = try TimeToRejection.observed(
            chain: chain, draft: draft, horizon: horizon, start: start, samples: particles,
            random: RandomSource(seed: recipe.seed &+ 1))
        return Survival(
            model: recipe.model.name, draft: recipe.speculation.draft.name, steps: recipe.chain.steps,
            churn: recipe.chain.churn, start: start, particles: particles, seed: recipe.seed,
            filtered: filtered.survival, observed: observed.survival,
            decided_steps: (1...horizon).map { filtered.decidedSteps(window: $0) })
    }

    private var horizon: Int { decided_steps.count }

    public var text: String {
        var lines = [
            "| k | P(τ > k), filter | P(τ > k), observed | steps decided by a window of k |", "|---|---|---|---|",
        ]
        for k in 1...horizon {
            let error = (observed[k] * (1 - observed[k]) / Double(particles)).squareRoot()
            lines.append(
                "| \(k) | \(filtered[k].formatted(digits: 3)) | \(observed[k].formatted(digits: 3)) ± "
                    + "\(error.formatted(digits: 3)) | \(decided_steps[k - 1].formatted(digits: 2)) |")
        }
        return lines.joined(separator: "\n")
    }

    /// A picture of both laws.
    public func writePlot(to file: String) throws {
        func points(_ law: [Double]) -> [(x: Double, y: Double)] { law.enumerated().map { (Double($0), $1) } }
        let plot = Plot(
            title: "time to rejection, \(draft), from step \(start) of \(steps)", xLabel: "k", yLabel: "P(tau > k)",
            series: [
                .init("particle filter", points(filtered), colour: .gradient(0)),
                .init("observed", points(observed), style: .dots, colour: .gradient(1)),
            ], yRange: 0...1)
        try plot.image().writePNG(to: file)
    }
}
