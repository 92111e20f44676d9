import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Imaging

struct SurvivalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "survival",
        abstract: "Estimate how long a draft survives: the law of the time to rejection.",
        discussion: """
            P(τ > k), the probability that the first k drafts from a step on are all accepted, by a particle filter \
            over paths of the draft alone (DB25, Appendix D (71)), beside what is observed when as many windows are \
            verified. Their sums are the steps that a window of k drafts decides in one call.

            Examples:
              diffspec survival --draft frozen --start 40 --horizon 20
              diffspec survival --churn 1 --particles 256 --plot survival.png
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: DraftOption.help)
    var draft = DraftOption.frozen

    @Option(help: DraftOption.modelHelp)
    var draftModel: String?

    @Option(parsing: .unconditional, help: .init("The largest k.", valueName: "k"))
    var horizon = 20

    @Option(parsing: .unconditional, help: .init("Plain steps before the first draft.", valueName: "n"))
    var start = 0

    @Option(parsing: .unconditional, help: .init("Particles of the filter, and windows observed.", valueName: "N"))
    var particles = 64

    @Option(help: .init("Seed.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: .init("Processor cores to use (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: .init("A picture of both laws.", valueName: "plot.png"))
    var plot: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard horizon >= 1, start >= 0, horizon <= model.steps, start <= model.steps - horizon else {
            throw ValidationError(
                "--start and --horizon must lie within the chain's \(model.steps) steps, found \(start) and \(horizon)."
            )
        }
        guard (1...1_000_000).contains(particles) else {
            throw ValidationError("--particles must be from 1 to 1000000, found \(particles).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
        guard draft != .none else { throw ValidationError("--draft none drafts nothing that could be rejected.") }
    }

    private struct Result: Encodable {
        let model, draft: String
        let steps: Int
        let churn: Double
        let start, particles: Int
        let seed: UInt64
        /// `P(τ > k)` for k = 0, 1, …
        let filtered, observed: [Double]
        /// `Σ_{k<W} P(τ > k)` for W = 1, 2, …
        let decided_steps: [Double]
    }

    func run() throws {
        Interruption.watch()
        if let plot { try OutputError.checkWritable(file: plot) }
        let pretrained = try model.load()
        try MemoryNeed.check(of: pretrained, lanes: particles, window: horizon)
        let chain = try model.chain(over: pretrained, threads: threads)
        guard
            let draft = try draft.draft(
                over: chain, companions: model.companions(of: pretrained, chain, named: draftModel, threads: threads))
        else { return }
        let filtered = try TimeToRejection.particleFilter(
            chain: chain, draft: draft, horizon: horizon, start: start, particles: particles,
            random: RandomSource(seed: seed))
        // Other noise than the filter's, so that the two agree only if both are right.
        let observed = try TimeToRejection.observed(
            chain: chain, draft: draft, horizon: horizon, start: start, samples: particles,
            random: RandomSource(seed: seed &+ 1))
        if let plot { try picture(filtered, observed).image().writePNG(to: plot) }
        let result = Result(
            model: model.model, draft: self.draft.name, steps: model.steps, churn: model.churn, start: start,
            particles: particles, seed: seed, filtered: filtered.survival, observed: observed.survival,
            decided_steps: (1...horizon).map { filtered.decidedSteps(window: $0) })
        print(json ? try result.jsonText() : table(result))
    }

    private func table(_ result: Result) -> String {
        var lines = [
            "| k | P(τ > k), filter | P(τ > k), observed | steps decided by a window of k |", "|---|---|---|---|",
        ]
        for k in 1...horizon {
            let error = (result.observed[k] * (1 - result.observed[k]) / Double(particles)).squareRoot()
            lines.append(
                "| \(k) | \(result.filtered[k].formatted(digits: 3)) | \(result.observed[k].formatted(digits: 3)) ± "
                    + "\(error.formatted(digits: 3)) | \(result.decided_steps[k - 1].formatted(digits: 2)) |")
        }
        return lines.joined(separator: "\n")
    }

    private func picture(_ filtered: TimeToRejection, _ observed: TimeToRejection) -> Plot {
        func points(_ law: TimeToRejection) -> [(x: Double, y: Double)] {
            law.survival.enumerated().map { (Double($0), $1) }
        }
        return Plot(
            title: "time to rejection, \(draft.name), from step \(start) of \(model.steps)", xLabel: "k",
            yLabel: "P(tau > k)",
            series: [
                .init("particle filter", points(filtered), colour: .gradient(0)),
                .init("observed", points(observed), style: .dots, colour: .gradient(1)),
            ], yRange: 0...1)
    }
}
