import Diffusion
import Imaging
import Models
import Reports
import Statistics

/// The energies of Langevin chains, and what they cost.
public struct LangevinResult: RunResult {
    public struct TracePoint: Encodable, Sendable {
        let step: Int
        let mean: Double
        @Nullable var standard_error: Double?
    }

    let energy_name: String
    let draft: String
    let rule: String
    let fallback: Bool
    let exact: Bool
    let steps: Int
    let step: Double
    let window: WindowRecipe
    let chains: Int
    let tail: Int
    let seed: UInt64
    let wall_seconds: Double
    let energy: EnergySummary
    let nfe: CountSummary
    let windows: CountSummary
    let evaluations: CountSummary
    let acceptance: Double
    /// The mean energy over all chains at equal distances along the run.
    let trace: [TracePoint]

    private let request: LangevinRequest
    private let traces: [[Double]]
    private static let tracedChains = 4

    private enum CodingKeys: String, CodingKey {
        case energy_name, draft, rule, fallback, exact, steps, step, window, chains, tail, seed, wall_seconds, energy,
            nfe, windows, evaluations, acceptance, trace
    }

    init(
        _ request: LangevinRequest, _ observations: [EnergyObservation], isExact: Bool, stride: Int, seconds: Double
    ) {
        let costs = observations.map(\.cost)
        let points = observations.map(\.trace.count).min() ?? 0
        let (speculation, isPlain) = (request.speculation, request.speculation.draft == .none)
        self.request = request
        traces = observations.prefix(Self.tracedChains).map(\.trace)
        energy_name = request.energy.kind.rawValue
        draft = speculation.draft.name
        rule = isPlain ? "none" : speculation.rule.name
        fallback = speculation.fallsBack && !isPlain
        exact = isExact
        (steps, step, window) = (request.steps, request.stepSize, speculation.window)
        (chains, tail, seed) = (request.chains, request.effectiveTail, request.seed)
        wall_seconds = seconds
        energy = EnergySummary(perChain: observations.map(\.tail))
        nfe = CountSummary(costs.map(\.calls))
        windows = CountSummary(costs.map(\.windows))
        evaluations = CountSummary(costs.map(\.evaluations))
        acceptance = costs.acceptance
        trace = (0..<points).map { i in
            let summary = EnergySummary(perChain: observations.map { [$0.trace[i]] })
            return TracePoint(step: i * stride, mean: summary.mean, standard_error: summary.standard_error)
        }
    }

    public var text: String {
        """
        \(request.energy.summary), γ = \(step), \(steps) steps, \(chains) chains, \
        \(draft == "none" ? "plain" : "draft \(draft), window \(window.name)")

        energy       \(energy.mean.formatted(digits: 3)) ± \(energy.sd.formatted(digits: 3)) (standard error \(energy.standard_error.formatted(digits: 3))) over the last \(tail) states
        NFE          \(nfe.mean.formatted(digits: 1)) a chain, \((Double(steps) / nfe.mean).formatted(digits: 2)) steps a call
        evaluations  \(evaluations.mean.formatted(digits: 1)) a chain
        acceptance   \((100 * acceptance).formatted(digits: 1)) %
        exact        \(exact ? "yes: the law of plain sampling" : "no: rule \(rule)")
        wall-clock   \(wall_seconds.formatted(digits: 1)) s
        """
    }

    /// The energy of a few chains and its mean over all.
    public func writeTrace(to file: String) throws { try plot.image().writePNG(to: file) }

    private var plot: Plot {
        let steps = trace.map { Double($0.step) }
        let chains = traces.map { values in
            Plot.Series("", Array(zip(steps, values)).map { (x: $0.0, y: $0.1) }, colour: .lightGrey)
        }
        let mean = Plot.Series(
            "mean of \(self.chains)", zip(steps, trace).map { (x: $0.0, y: $0.1.mean) }, colour: Colour.palette[0])
        // The start may lie orders of magnitude higher; what is of interest is where the chains settle.
        let start = trace.count / 10
        let settled = trace.dropFirst(start).map(\.mean)
        let all = (traces.flatMap { $0.dropFirst(start) } + settled).filter(\.isFinite)
        let range = all.min().flatMap { low in all.max().map { high in low - 1...high + (high - low) / 2 + 1 } }
        return Plot(
            title: "\(energy_name), \(draft == "none" ? "plain" : draft)", xLabel: "step", yLabel: "energy",
            series: chains + [mean], yRange: range)
    }
}
