import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Imaging
import Synchronization

struct LangevinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "langevin",
        abstract: "Sample an energy by Langevin dynamics, speculatively.",
        discussion: """
            Runs independent chains X ← X - γ ∇E(X) + √(2γ) Z and reports the energy's mean and deviation over their \
            last states, and what they cost. A call is one evaluation of ∇E on a batch; with a draft the chains have \
            the same law and take fewer of them.

            Your own energy goes through the library: Energy(dimension:value:gradient:) and SpeculativeSampler.
            """)

    enum DraftName: String, CaseIterable, ExpressibleByArgument {
        case frozen, recycled
        case recycledZeroth = "recycled-zeroth"
        case frozenFresh = "frozen-fresh"
        case proxy, none
    }

    @OptionGroup(title: "Energy") var energy: EnergyOptions
    @OptionGroup(title: "Run") var options: RunOptions

    @Option(help: .init("Step size γ.", valueName: "γ"))
    var step = 1e-3

    @Option(help: .init("Number of steps K of a chain.", valueName: "K"))
    var steps = 10_000

    @Option(help: .init("Number of chains.", valueName: "N"))
    var chains = 100

    @Option(
        help:
            "What proposes the window: recycled gradients, to first order or zeroth; the last gradient, frozen; the energy's cheap proxy; or none (plain). Where an energy has a cheap quadratic part (phi4's coupling), that part stays exact; frozen-fresh is the published method, which freezes all of the drift, evaluated anew for each window."
    )
    var draft = DraftName.recycled

    @Option(
        help: .init(
            "Energies are taken over this many last states of each chain (default: 500, or half of the steps where that is fewer).",
            valueName: "N"))
    var tail: Int?

    @Option(help: .init("Chains that share their calls; changes no result.", valueName: "N"))
    var batch = 4

    @Option(help: .init("Trace plot: the energy of a few chains and its mean over all.", valueName: "trace.png"))
    var out: String?

    struct Result: Encodable {
        let energy_name: String
        let draft: String
        let exact: Bool
        let steps: Int
        let step: Double
        let window: Int
        let chains: Int
        let tail: Int
        let seed: UInt64
        let wall_seconds: Double
        let energy: EnergySummary
        let nfe: Report.Summary
        let evaluations: Report.Summary
        let acceptance: Double
        /// The mean energy over all chains at equal distances along the run.
        let trace: [TracePoint]
    }
    struct TracePoint: Encodable {
        let step: Int
        let mean: Double
        @Nullable var standard_error: Double?
    }

    private static let tracePoints = 200
    private static let tracedChains = 4

    private var effectiveTail: Int { tail ?? min(500, max(1, steps / 2)) }

    func validate() throws {
        guard step > 0, step.isFinite else {
            throw ValidationError("--step must be a positive finite number, found \(step).")
        }
        guard (1...1_000_000_000).contains(steps) else {
            throw ValidationError("--steps must be from 1 to 1000000000, found \(steps).")
        }
        guard (1...10_000_000).contains(chains) else {
            throw ValidationError("--chains must be from 1 to 10000000, found \(chains).")
        }
        if let tail, !(1...steps).contains(tail) {
            throw ValidationError("--tail must be from 1 to the number of steps, found \(tail).")
        }
        guard (1...4096).contains(batch) else {
            throw ValidationError("--batch must be from 1 to 4096, found \(batch).")
        }
    }

    func run() throws {
        try OutputError.checkWritable(files: [out, options.report])
        let energy = try energy.load()
        let chain = try LangevinChain(energy: energy, stepCount: steps, stepSize: step)
        let stride = max(1, steps / Self.tracePoints)
        Interruption.watch()

        let clock = ContinuousClock.now
        let observations = try observe(sampler(over: chain, energy), energy, stride: stride)
        let seconds = (ContinuousClock.now - clock).seconds

        let result = summary(of: observations, stride: stride, seconds: seconds)
        if let out { try tracePlot(observations, result).image().writePNG(to: out) }
        if let report = options.report { try result.writeJSON(to: report) }
        if !options.quiet { print(table(result)) }
    }

    private func sampler(over chain: LangevinChain, _ energy: Energy) throws -> any Sampler<LangevinChain> {
        let random = RandomSource(seed: options.seed)
        let draft: (any Draft)? =
            switch draft {
            case .frozen: FrozenDenoiserDraft()
            case .frozenFresh: FrozenDraft(.fresh)
            case .recycled: RecycledDraft()
            case .recycledZeroth: RecycledDraft(order: .zeroth)
            case .proxy: try chain.proxyDraft(of: energy)
            case .none: nil
            }
        guard let draft else { return SequentialSampler(chain: chain, random: random) }
        return try SpeculativeSampler(chain: chain, draft: draft, window: min(options.window, steps), random: random)
    }

    private func observe(
        _ sampler: some Sampler<LangevinChain>, _ energy: Energy, stride: Int
    ) throws -> [EnergyObservation] {
        let total = Double(steps) * Double(chains)
        let shown = Mutex((done: 0, progress: Progress("langevin", total: total, isQuiet: options.quiet)))
        defer { shown.withLock { $0.progress.finish() } }
        return try sampler.observe(
            energy, chains: 0..<chains, tail: effectiveTail, traceStride: stride, lanes: batch, threads: options.threads
        ) { count in
            try Interruption.check()
            shown.withLock {
                $0.done += count
                let done = $0.done
                $0.progress.update(done: Double(done)) { "\((Double(done) / $0).formatted(digits: 0)) steps/s" }
            }
        }
    }

    private func summary(of observations: [EnergyObservation], stride: Int, seconds: Double) -> Result {
        let costs = observations.map(\.cost)
        let (accepted, rejected) = costs.reduce((0, 0)) { ($0.0 + $1.accepted, $0.1 + $1.rejected) }
        let points = observations.map(\.trace.count).min() ?? 0
        return Result(
            energy_name: energy.energy.rawValue, draft: draft.rawValue, exact: true, steps: steps, step: step,
            window: options.window, chains: chains, tail: effectiveTail, seed: options.seed, wall_seconds: seconds,
            energy: EnergySummary(perChain: observations.map(\.tail)), nfe: .init(costs.map(\.calls)),
            evaluations: .init(costs.map(\.evaluations)),
            acceptance: accepted + rejected > 0 ? Double(accepted) / Double(accepted + rejected) : 0,
            trace: (0..<points).map { i in
                let summary = EnergySummary(perChain: observations.map { [$0.trace[i]] })
                return TracePoint(step: i * stride, mean: summary.mean, standard_error: summary.standard_error)
            })
    }

    private func table(_ result: Result) -> String {
        let energy = result.energy
        return """
            \(self.energy.description), γ = \(step), \(steps) steps, \(chains) chains, \
            \(draft == .none ? "plain" : "draft \(draft.rawValue), window \(options.window)")

            energy       \(energy.mean.formatted(digits: 3)) ± \(energy.sd.formatted(digits: 3)) (standard error \(energy.standard_error.formatted(digits: 3))) over the last \(effectiveTail) states
            NFE          \(result.nfe.mean.formatted(digits: 1)) a chain, \((Double(steps) / result.nfe.mean).formatted(digits: 2)) steps a call
            evaluations  \(result.evaluations.mean.formatted(digits: 1)) a chain
            acceptance   \((100 * result.acceptance).formatted(digits: 1)) %
            wall-clock   \(result.wall_seconds.formatted(digits: 1)) s
            """
    }

    private func tracePlot(_ observations: [EnergyObservation], _ result: Result) -> Plot {
        let steps = result.trace.map { Double($0.step) }
        let chains = observations.prefix(Self.tracedChains).map { observation in
            Plot.Series("", Array(zip(steps, observation.trace)).map { (x: $0.0, y: $0.1) }, colour: .lightGrey)
        }
        let mean = Plot.Series(
            "mean of \(observations.count)", zip(steps, result.trace).map { (x: $0.0, y: $0.1.mean) },
            colour: Colour.palette[0])
        // The start may lie orders of magnitude higher; what is of interest is where the chains settle.
        let settled = result.trace.dropFirst(result.trace.count / 10).map(\.mean)
        let all = (observations.prefix(Self.tracedChains).flatMap { $0.trace.dropFirst($0.trace.count / 10) } + settled)
            .filter(\.isFinite)
        let range = all.min().flatMap { low in all.max().map { high in low - 1...high + (high - low) / 2 + 1 } }
        return Plot(
            title: "\(energy.energy.rawValue), \(draft == .none ? "plain" : draft.rawValue)", xLabel: "step",
            yLabel: "energy", series: chains + [mean], yRange: range)
    }
}
