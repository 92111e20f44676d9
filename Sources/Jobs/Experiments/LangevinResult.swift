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
    let dynamics: String
    @Nullable var friction: Double?
    let steps: Int
    let step: Double
    let window: WindowRecipe
    let chains: Int
    let tail: Int
    let seed: UInt64
    let wall_seconds: Double
    let energy: EnergySummary
    /// Unknown where the tails are too short to tell.
    @Nullable var effective: EffectiveSamples?
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
        case energy_name, draft, rule, fallback, exact, dynamics, friction, steps, step, window, chains, tail, seed,
            wall_seconds, energy, effective, nfe, windows, evaluations, acceptance, trace
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
        dynamics = request.dynamics.rawValue
        _friction = Nullable(wrappedValue: request.effectiveFriction)
        (steps, step, window) = (request.steps, request.stepSize, speculation.window)
        (chains, tail, seed) = (request.chains, request.effectiveTail, request.seed)
        wall_seconds = seconds
        energy = EnergySummary(perChain: observations.map(\.tail))
        _effective = Nullable(
            wrappedValue: EffectiveSamples(
                tails: observations.map(\.tail), calls: costs.map(\.calls), steps: request.steps))
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
        \(request.energy.summary), \(motion), \(steps.counted("step")), \(chains.counted("chain")), \
        \(draft == "none" ? "plain" : "draft \(draft), window \(window.name)")

        energy       \(energy.mean.formatted(digits: 3)) ± \(energy.sd.formatted(digits: 3)) (standard error \(energy.standard_error.formatted(digits: 3))\(chains < 10 ? ", of so few chains a rough guess" : "")) over the last \(tail.counted("state"))
        effective    \(effectiveText)
        NFE          \(nfe.mean.formatted(digits: 1)) a chain, \((Double(steps) / nfe.mean).formatted(digits: 2)) steps a call
        evaluations  \(evaluations.mean.formatted(digits: 1)) a chain
        acceptance   \((100 * acceptance).formatted(digits: 1)) %
        exact        \(exact ? "yes: the law of plain sampling" : "no: rule \(rule)")
        wall-clock   \(wall_seconds.formatted(digits: 1)) s
        """
    }

    private var motion: String {
        friction.map { "\(dynamics), h = \(step), friction \($0)" } ?? "γ = \(step)"
    }

    private var effectiveText: String {
        guard let effective else { return "unknown: the last \(tail.counted("state")) are too few to tell, see --tail" }
        let error = effective.standard_error.map { " ± \($0.formatted(digits: 4))" } ?? ""
        return
            "\(effective.samples.formatted(digits: 0)) independent energies in the last states, \(effective.per_call.formatted(digits: 4))\(error) a call (autocorrelation time \(effective.autocorrelation_time.formatted(digits: 1)) steps)"
    }

    public var page: Page {
        let facts = [
            Page.Fact(
                "\(energy.mean.formatted(digits: 2))",
                "mean energy, standard error \(energy.standard_error.formatted(digits: 3))"),
            Page.Fact("\(nfe.mean.formatted(digits: 0))", "calls a chain, plain \(steps)"),
            Page.Fact("\((Double(steps) / max(nfe.mean, 1e-9)).formatted(digits: 1))", "steps a call"),
            Page.Fact(
                effective.map { $0.per_call.formatted(digits: 4) } ?? "unknown", "effective samples a call"),
            Page.Fact("\((100 * acceptance).formatted(digits: 1)) %", "drafts accepted"),
            Page.Fact("\(wall_seconds.formatted(digits: 1)) s", "by the clock"),
            Page.Fact(exact ? "exact" : "not exact", exact ? "the law of plain sampling" : "rule \(rule)"),
        ]
        return Page(
            "\(chains.counted("chain")) of \(steps.counted("step")) on \(energy_name)", facts: facts,
            sections: [Page.Section("Energy along the run", .figure(figure)), Page.Section("In words", .text(text))])
    }

    /// The energy of a few chains and its mean over all.
    public func writeTrace(to file: String) throws { try figure.image().writePNG(to: file) }

    /// From one bar of the mean to the next.
    private static let barStride = 10

    private var figure: Figure {
        let steps = trace.map { Double($0.step) }
        let paint = draft == "none" ? Paint.ink : DraftRecipe(draft)?.paint ?? .series(0)
        let single = traces.enumerated().map { index, values in
            Figure.Series(
                index == 0 ? "single chains" : "", points: Array(zip(steps, values)).map { (x: $0.0, y: $0.1) },
                mark: .line(.solid, nil), paint: .muted.weakened(to: 0.4))
        }
        let mean = Figure.Series(
            "mean of \(chains)",
            trace.enumerated().map { index, point in
                Figure.Value(
                    Double(point.step), point.mean,
                    error: index % Self.barStride == 0 ? point.standard_error : nil)
            }, mark: .line(.solid, nil), paint: paint)
        // The start may lie orders of magnitude higher than where the chains settle.
        let all = (traces.joined() + trace.map(\.mean)).filter(\.isFinite)
        let isLogarithmic = (all.min() ?? 0) > 0 && (all.max() ?? 0) > 8 * (all.min() ?? 0)
        return Figure(
            "Energy of \(energy_name), \(draft == "none" ? "plain" : draft)",
            note: trace.contains { $0.standard_error != nil } ? "bars: standard error of the mean" : "",
            x: .init("step", range: steps.last.flatMap { $0 > 0 ? 0...$0 : nil }),
            y: .init("energy", isLogarithmic: isLogarithmic), series: single + [mean])
    }
}
