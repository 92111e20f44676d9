import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Imaging
import Models
import Statistics
import Synchronization

struct MixtureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mixture",
        abstract: "Sample a Gaussian mixture whose score has a closed form.",
        discussion: """
            The laboratory of the method: a diffusion model without a network, whose data can be drawn at will. Reports \
            NFE, acceptance and the 2-Wasserstein distance to fresh data, beside that of fresh data to fresh data.

            --figure DIR makes the published figure of NFE against churn and against window, over dimensions 2 to 32.
            """)

    @OptionGroup(title: "Mixture") var mixture: MixtureOptions
    @OptionGroup(title: "Run") var options: RunOptions

    @Option(
        help:
            "What proposes the window; independent is --draft-model, or else a single Gaussian of the mixture's moments; none is plain sampling."
    )
    var draft = MixtureOptions.DraftName.recycled

    @Option(help: .init("Number of samples.", valueName: "N"))
    var count = 2000

    @Option(help: .init("Scatter plot of the first two coordinates: data and samples.", valueName: "scatter.png"))
    var out: String?

    @Option(
        help: .init("Write the mixture's components to this file, JSON, and do no more.", valueName: "mixture.json"))
    var export: String?

    @Option(
        help: .init(
            "Folder for figure3.md, figure3-churn.png and figure3-window.png; --count is the samples a point.",
            valueName: "dir"))
    var figure: String?

    @Flag(
        help:
            "With --figure: the networks mixture-D and their drafts mixture-D-draft, for the dimensions that have both, in place of exact scores."
    )
    var networks = false

    struct Result: Encodable {
        /// nil for the exact score.
        let model: String?
        let draft_model: String?
        let dimension: Int
        let components: Int
        let mixture_seed: UInt64?
        let steps: Int
        let churn: Double
        let window: Int
        let draft: String
        let exact: Bool
        let seed: UInt64
        let count: Int
        let wall_seconds: Double
        let nfe: Report.Summary
        let evaluations: Report.Summary
        let acceptance: Double
        /// From the samples to fresh data.
        let wasserstein2: Double
        /// From other fresh data to the same.
        let wasserstein2_of_data: Double
        let wasserstein2_method: String
    }

    /// Beyond it the exact distance takes too long.
    private static let largestAssignment = 2000
    private static let slices = 200

    func validate() throws {
        guard (1...10_000_000).contains(count) else {
            throw ValidationError("--count must be from 1 to 10000000, found \(count).")
        }
        if figure != nil,
            out != nil || options.report != nil || mixture.model != nil || mixture.draftModel != nil
                || mixture.dimension != nil
        {
            throw ValidationError(
                "--figure has dimensions, models and files of its own; leave --dimension, --model, --draft-model, --out and --report away."
            )
        }
        if networks, figure == nil { throw ValidationError("--networks belongs to --figure.") }
        if mixture.draftModel != nil, draft != .independent {
            throw ValidationError("--draft-model is for --draft independent, found \(draft.rawValue).")
        }
    }

    func run() throws {
        try OutputError.checkWritable(files: [out, options.report, export])
        Interruption.watch()
        if let export {
            let target = try mixture.target()
            try target.file.writeJSON(to: export)
            return
        }
        if let figure {
            try MixtureFigure(mixture: mixture, options: options, samples: count, usesNetworks: networks).write(
                to: figure)
            return
        }
        let target = try mixture.target()
        let law = target.mixture
        if out != nil, law.dimension < 2 { throw ValidationError("--out needs at least two dimensions.") }
        let shown = Mutex(
            (done: 0, progress: Progress("mixture", total: Double(count * mixture.steps), isQuiet: options.quiet)))
        let run = try MixtureRun(
            target, draft: draft, window: options.window, count: count, seed: options.seed, threads: options.threads
        ) { info in
            try Interruption.check()
            shown.withLock {
                $0.done += info.visits.count
                $0.progress.update(done: Double($0.done)) { _ in "" }
            }
        }
        shown.withLock { $0.progress.finish() }
        let random = RandomSource(seed: options.seed)
        let data = law.data(samples: 0..<count, random: random)
        let result = Result(
            model: mixture.model, draft_model: mixture.draftModel, dimension: law.dimension,
            components: law.components.count, mixture_seed: target.file.seed, steps: mixture.steps,
            churn: mixture.churn,
            window: options.window, draft: draft.rawValue, exact: true, seed: options.seed, count: count,
            wall_seconds: run.seconds, nfe: run.nfe, evaluations: run.evaluations, acceptance: run.acceptance,
            wasserstein2: wasserstein(run.states, data),
            wasserstein2_of_data: wasserstein(law.data(samples: count..<2 * count, random: random), data),
            wasserstein2_method: count <= Self.largestAssignment
                ? "exact assignment" : "sliced, \(Self.slices) directions")
        if let out { try scatter(run.states, data).image(width: 720, height: 720).writePNG(to: out) }
        if let report = options.report { try result.writeJSON(to: report) }
        if !options.quiet { print(table(result)) }
    }

    private func wasserstein(_ samples: [[Double]], _ data: [[Double]]) -> Double {
        if count <= Self.largestAssignment { return Wasserstein.exact(samples, data) }
        // Beyond every sample's own index, so that the directions share no draw with the data.
        var stream = RandomSource(seed: options.seed).stream(sample: 1 << 50, step: 0, purpose: .auxiliary)
        return Wasserstein.sliced(
            samples, data, directions: (0..<Self.slices).map { _ in stream.normals(samples[0].count) })
    }

    private func table(_ result: Result) -> String {
        """
        mixture of \(result.components) in dimension \(result.dimension), \(mixture.model ?? "exact score"), \
        \(mixture.steps) steps, churn \(mixture.churn), \(count) samples, \
        \(draft == .none ? "plain" : "draft \(mixture.draftModel ?? draft.rawValue), window \(options.window)")

        NFE          \(result.nfe.mean.formatted(digits: 2)) a sample
        evaluations  \(result.evaluations.mean.formatted(digits: 1)) a sample
        acceptance   \((100 * result.acceptance).formatted(digits: 1)) %
        2-Wasserstein distance to fresh data \(result.wasserstein2.formatted(digits: 4)), of fresh data \
        \(result.wasserstein2_of_data.formatted(digits: 4)) (\(result.wasserstein2_method))
        wall-clock   \(result.wall_seconds.formatted(digits: 2)) s
        """
    }

    private func scatter(_ samples: [[Double]], _ data: [[Double]]) -> Plot {
        func points(_ states: [[Double]]) -> [(x: Double, y: Double)] { states.prefix(5000).map { ($0[0], $0[1]) } }
        return Plot(
            title: "\(mixture.model ?? "exact score"), \(mixture.steps) steps, \(draft.rawValue)", xLabel: "x1",
            yLabel: "x2",
            series: [
                Plot.Series("data", points(data), style: .dots, colour: Colour.palette[4]),
                Plot.Series("samples", points(samples), style: .dots, colour: Colour.palette[1]),
            ], xRange: -2.6...2.6, yRange: -2.6...2.6)
    }
}
