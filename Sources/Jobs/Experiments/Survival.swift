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
    ///   - monitor: is told what of the model's files is not followed and how far the run is, and may end it.
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
        let unwatched = try model.chain(recipe.chain, subjects: recipe.classes, threads: threads)
        let chain = unwatched.replacing(denoiser: WatchedDenoiser(unwatched.denoiser, monitor: monitor))
        let companions = model.companions(of: chain, recipe, threads: threads)
        guard let draft = try recipe.speculation.draft.draft(over: chain, companions: companions) else {
            throw RecipeError("draft", "none drafts nothing that could be rejected.")
        }
        // Both ask the target at every step before the start and of the horizon, and at the window's end or at the start once more.
        monitor.begin("survival", total: Double(2 * particles * (start + horizon + 1) * chain.rowsPerQuery))
        defer { monitor.end() }
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

    /// The standard error of what was observed.
    private func error(at k: Int) -> Double { (observed[k] * (1 - observed[k]) / Double(particles)).squareRoot() }

    public var text: String {
        var lines = [
            "| k | P(τ > k), filter | P(τ > k), observed | steps decided by a window of k |", "|---|---|---|---|",
        ]
        for k in 1...horizon {
            lines.append(
                "| \(k) | \(filtered[k].formatted(digits: 3)) | \(observed[k].formatted(digits: 3)) ± "
                    + "\(error(at: k).formatted(digits: 3)) | \(decided_steps[k - 1].formatted(digits: 2)) |")
        }
        if particles < 10 {
            lines += [
                "", "\(particles.counted("particle")): the standard errors are rough guesses, take --count 64 or more",
            ]
        }
        return lines.joined(separator: "\n")
    }

    public var page: Page {
        Page(
            "How long drafts of \(draft) survive: \(model), churn \(churn)",
            facts: [
                Page.Fact(
                    "\(decided_steps[horizon - 1].formatted(digits: 1))",
                    "steps that a window of \(horizon.counted("draft")) decides"),
                Page.Fact("\((100 * filtered[1]).formatted(digits: 1)) %", "first drafts accepted"),
                Page.Fact("\((100 * filtered[horizon]).formatted(digits: 1)) %", "windows accepted whole"),
            ],
            sections: [
                Page.Section(
                    "The law of the time to rejection",
                    note:
                        "The probability that the first k drafts are all accepted: by a particle filter over paths of the draft alone, and as often as it was seen in windows with other noise.",
                    .figure(figure), .text(text))
            ])
    }

    /// A picture of both laws.
    public func writePlot(to file: String) throws { try figure.image().writePNG(to: file) }

    private var figure: Figure {
        let paint = DraftRecipe(draft)?.paint ?? .series(0)
        return Figure(
            "How long drafts of \(draft) survive, from step \(start) of \(steps)",
            note: "\(particles) particles, as many windows observed; bars: standard error",
            x: .init("k", unit: "drafts", range: 0...Double(horizon)), y: .init("P(τ > k)", range: 0...1.02),
            series: [
                .init(
                    "particle filter", points: filtered.enumerated().map { (Double($0), $1) }, mark: .line(.solid, nil),
                    paint: paint),
                .init(
                    "observed", observed.indices.map { Figure.Value(Double($0), observed[$0], error: error(at: $0)) },
                    mark: .dots(diameter: 8), paint: .ink),
            ])
    }
}
