import Diffusion
import Imaging
import Models
import Reports
import Statistics

/// What samples of a mixture cost, and how far they are from its data.
public struct MixtureResult: RunResult {
    /// nil for the exact score.
    let model: String?
    let draft_model: String?
    let dimension: Int
    let components: Int
    let mixture_seed: UInt64?
    let steps: Int
    let churn: Double
    let window: WindowRecipe
    let draft: String
    let rule: String
    let fallback: Bool
    let exact: Bool
    let seed: UInt64
    let count: Int
    let wall_seconds: Double
    let nfe: CountSummary
    let windows: CountSummary
    let evaluations: CountSummary
    let acceptance: Double
    /// From the samples to fresh data.
    let wasserstein2: Double
    /// From other fresh data to the same.
    let wasserstein2_of_data: Double
    let wasserstein2_method: String

    private let states: [[Double]]
    private let data: [[Double]]

    private enum CodingKeys: String, CodingKey {
        case model, draft_model, dimension, components, mixture_seed, steps, churn, window, draft, rule, fallback,
            exact, seed, count, wall_seconds, nfe, windows, evaluations, acceptance, wasserstein2,
            wasserstein2_of_data, wasserstein2_method
    }

    init(
        _ request: MixtureRequest, _ target: MixtureModel, _ samples: MixtureRun.Samples, data: [[Double]],
        distance: Double, distanceOfData: Double, method: String
    ) {
        let (speculation, isPlain) = (request.speculation, request.speculation.draft == .none)
        (model, draft_model) = (request.mixture.model, speculation.draftModel)
        (dimension, components, mixture_seed) = (target.dimension, target.law.components.count, target.file.seed)
        (steps, churn) = (request.mixture.chain.steps, request.mixture.chain.churn)
        (window, draft) = (speculation.window, speculation.draft.name)
        rule = isPlain ? "none" : speculation.rule.name
        fallback = speculation.fallsBack && !isPlain
        (exact, seed, count, wall_seconds) = (samples.isExact, request.seed, request.count, samples.seconds)
        nfe = samples.nfe
        windows = CountSummary(samples.costs.map(\.windows))
        evaluations = CountSummary(samples.costs.map(\.evaluations))
        acceptance = samples.costs.acceptance
        (wasserstein2, wasserstein2_of_data, wasserstein2_method) = (distance, distanceOfData, method)
        (states, self.data) = (samples.states, data)
    }

    public var text: String {
        """
        mixture of \(components) in dimension \(dimension), \(model ?? "exact score"), \
        \(steps.counted("step")), churn \(churn), \(count.counted("sample")), \
        \(draft == "none" ? "plain" : "draft \(draft_model ?? draft), window \(window.name)")

        NFE          \(nfe.mean.formatted(digits: 2)) a sample
        evaluations  \(evaluations.mean.formatted(digits: 1)) a sample
        acceptance   \((100 * acceptance).formatted(digits: 1)) %
        exact        \(exact ? "yes: the law of plain sampling" : "no: rule \(rule)")
        2-Wasserstein distance to fresh data \(wasserstein2.formatted(digits: 4)), of fresh data \
        \(wasserstein2_of_data.formatted(digits: 4)) (\(wasserstein2_method))
        wall-clock   \(wall_seconds.formatted(digits: 2)) s
        """
    }

    public var page: Page {
        let facts = [
            Page.Fact("\(nfe.mean.formatted(digits: 1))", "calls a sample, plain \(steps)"),
            Page.Fact("\(evaluations.mean.formatted(digits: 1))", "rows a sample"),
            Page.Fact("\((100 * acceptance).formatted(digits: 1)) %", "drafts accepted"),
            Page.Fact("\(wasserstein2.formatted(digits: 3))", "2-Wasserstein distance to fresh data"),
            Page.Fact("\(wasserstein2_of_data.formatted(digits: 3))", "of other fresh data to the same"),
            Page.Fact(exact ? "exact" : "not exact", exact ? "the law of plain sampling" : "rule \(rule)"),
        ]
        let scatter = scatter.map {
            Page.Section("Data and samples", note: "By their first two coordinates.", .figure($0))
        }
        return Page(
            "\(count.counted("sample")) of a mixture of \(components) in dimension \(dimension)", facts: facts,
            sections: (scatter.map { [$0] } ?? []) + [Page.Section("In words", .text(text))])
    }

    /// Data and samples by their first two coordinates, of which there must be as many.
    public func writeScatter(to file: String) throws {
        try scatter?.image().writePNG(to: file)
    }

    private static let mostDots = 5000

    private var scatter: Figure? {
        guard dimension >= 2 else { return nil }
        func points(_ states: [[Double]]) -> [(x: Double, y: Double)] {
            states.prefix(Self.mostDots).map { ($0[0], $0[1]) }
        }
        let (data, samples) = (points(data), points(states))
        // The same on both axes, so that what is round looks round; a sample that has gone astray leaves the others their room.
        let farthest = (data + samples).map { max(abs($0.x), abs($0.y)) }.filter(\.isFinite).max() ?? 0
        let side = min(max(2.6, farthest * 1.05), 6)
        let outside = samples.count { !(abs($0.x) <= side && abs($0.y) <= side) }
        let paint = DraftRecipe(draft).map { $0 == .none ? .series(3) : $0.paint } ?? .series(0)
        return Figure(
            "\(model ?? "exact score"), \(steps) steps, \(draft == "none" ? "plain" : draft)",
            note: outside > 0 ? "\(outside) of \(samples.count) samples lie outside" : "",
            x: .init("x₁", range: -side...side), y: .init("x₂", range: -side...side),
            series: [
                .init("data", points: data, mark: .dots(diameter: 5), paint: .muted.weakened(to: 0.45)),
                .init("samples", points: samples, mark: .dots(diameter: 5), paint: paint.weakened(to: 0.5)),
            ], shape: .square)
    }
}
