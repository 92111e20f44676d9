import Diffusion
import Foundation
import Imaging
import Models
import Platform
import Statistics
import Synchronization

/// Figure 3 of DB25 (accelerated diffusion via speculative sampling, De Bortoli et al. 2025): mean NFE against churn and
/// against window, over dimensions and drafts.
public struct MixtureFigure: RunResult {
    /// The components and the chain of the mixtures, whose dimensions are the figure's own; the seed, and the samples a
    /// point.
    let request: MixtureRequest
    /// Whether the target is the bundled network of each dimension that has one, in place of the exact score.
    let usesNetworks: Bool
    private let byChurn, byWindow: Table
    private let components: Int

    private static let dimensions = [2, 4, 8, 16, 32]
    private static let churns = [0.1, 0.25, 0.5, 1, 1.5, 2]
    private static let windows = [2, 5, 10, 20, 40, 80]

    private enum Entry: String, CaseIterable, Sendable {
        case frozen
        case gaussian = "single Gaussian"
        case network = "4-wide network"
        case recycled

        var draft: DraftRecipe {
            switch self {
            case .frozen: .frozen
            case .gaussian, .network: .independent
            case .recycled: .recycled
            }
        }

        /// Two of them are independent drafts.
        var paint: Paint { self == .network ? .series(3) : draft.paint }

        var dash: Figure.Dash {
            switch self {
            case .frozen, .recycled: .solid
            case .gaussian: .dashed
            case .network: .dotted
            }
        }
    }

    /// What one line of the figure is about.
    private struct Line: Hashable, Sendable {
        let entry: Entry
        let dimension: Int
    }
    /// Mean NFE by setting.
    private typealias Table = [Line: [Figure.Value]]

    /// What a line is drawn for.
    private struct Target {
        let line: Line
        let model: MixtureModel
        let draftModel: MixtureModel?
    }

    private var window: WindowRecipe { request.speculation.window }

    /// Measures the figure and writes its table and both plots into a folder, which is made before the work begins.
    /// - Throws: `RecipeError` where there is no network for these mixtures, `OutputError` for a folder that can't be.
    public static func run(
        _ request: MixtureRequest, usesNetworks: Bool, into folder: String, monitor: any RunMonitor = NoMonitor()
    ) throws -> MixtureFigure {
        try request.validate()
        let targets = try targets(request.mixture, usesNetworks: usesNetworks)
        guard let first = targets.first else {
            throw RecipeError(
                "networks",
                "needs folders mixture-D and mixture-D-draft for these mixtures, and found none; leave --components and "
                    + "--mixture-seed away, or train networks and set \(BundledModels.environmentVariable).")
        }
        try OutputError.prepare(folder: folder)
        let points = targets.count * (churns.count + windows.count)
        monitor.begin("figure", total: Double(points))
        defer { monitor.end() }
        var done = 0
        func sweep(_ settings: [(x: Double, churn: Double, window: WindowRecipe)]) throws -> Table {
            var table: Table = [:]
            for target in targets {
                table[target.line] = try settings.map { setting in
                    var (chain, speculation) = (request.mixture.chain, request.speculation)
                    (chain.churn, speculation.window) = (setting.churn, setting.window)
                    speculation.draft = target.line.entry.draft
                    let run = MixtureRun(
                        target: target.model, draftModel: target.draftModel, chain: chain, speculation: speculation,
                        count: request.count, seed: request.seed, threads: request.threads)
                    let stepsDone = Atomic<Int>(0)
                    let (earlier, planned) = (done, Double(request.count * request.mixture.chain.steps))
                    let samples = try run.run { steps in
                        try monitor.check()
                        let part = Double(stepsDone.add(steps, ordering: .relaxed).newValue) / planned
                        monitor.update(done: Double(earlier) + min(1, part)) { _ in "\(earlier) of \(points) points" }
                    }
                    done += 1
                    return Figure.Value(
                        setting.x, samples.nfe.mean, error: samples.costs.map { Double($0.calls) }.standardError)
                }
            }
            return table
        }
        let figure = MixtureFigure(
            request: request, usesNetworks: usesNetworks,
            byChurn: try sweep(churns.map { ($0, $0, request.speculation.window) }),
            byWindow: try sweep(windows.map { (Double($0), request.mixture.chain.churn, .fixed($0)) }),
            components: first.model.law.components.count)
        try figure.write(to: folder)
        return figure
    }

    private func write(to folder: String) throws {
        let name = usesNetworks ? "figure3-networks" : "figure3"
        func path(_ end: String) -> String { URL(fileURLWithPath: folder).appendingPathComponent(name + end).path }
        for (end, figure) in zip(["-churn.png", "-window.png"], figures) { try figure.image().writePNG(to: path(end)) }
        try AtomicFile.write(Array((text + "\n").utf8), to: path(".md"))
    }

    public var text: String {
        """
        \(components) components, \(request.mixture.chain.steps.counted("step")), \(request.count.counted("sample")) a point, mean NFE. Target: \
        \(usesNetworks ? "the trained network, with labels" : "the mixture's exact score").
        Drafts: the frozen drift; independent, a single Gaussian of the mixture's moments\
        \(usesNetworks ? ", or the 4-wide network trained with the target" : ""); recycled, to first order. \
        \(request.speculation.fallsBack ? "Samples fall back to plain steps where almost every draft is rejected." : "No fallback to plain steps.")

        Against churn, window \(window.name):

        \(markdown(byChurn, "churn"))

        Against window, churn \(request.mixture.chain.churn):

        \(markdown(byWindow, "window"))
        """
    }

    /// The points of both tables, by draft and dimension.
    public func encode(to encoder: any Encoder) throws {
        struct Point: Encodable {
            let draft: String
            let dimension: Int
            let x, nfe: Double
            @Nullable var nfe_standard_error: Double?
        }
        func points(_ table: Table) -> [Point] {
            table.flatMap { line, points in
                points.map {
                    Point(
                        draft: line.entry.rawValue, dimension: line.dimension, x: $0.x, nfe: $0.y,
                        nfe_standard_error: $0.error)
                }
            }.sorted { ($0.draft, $0.dimension, $0.x) < ($1.draft, $1.dimension, $1.x) }
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(points(byChurn), forKey: .by_churn)
        try container.encode(points(byWindow), forKey: .by_window)
        try container.encode(request.count, forKey: .samples)
        try container.encode(request.seed, forKey: .seed)
    }

    private enum CodingKeys: String, CodingKey { case by_churn, by_window, samples, seed }

    private init(
        request: MixtureRequest, usesNetworks: Bool, byChurn: Table, byWindow: Table, components: Int
    ) {
        (self.request, self.usesNetworks, self.components) = (request, usesNetworks, components)
        (self.byChurn, self.byWindow) = (byChurn, byWindow)
    }

    /// The lines of the figure; the networks' where there are bundled ones for the very mixture.
    private static func targets(_ mixture: MixtureRecipe, usesNetworks: Bool) throws -> [Target] {
        var targets: [Target] = []
        for entry in Entry.allCases where usesNetworks || entry != .network {
            for dimension in dimensions {
                var recipe = mixture
                recipe.dimension = dimension
                let exact = try recipe.load()
                func bundled(_ name: String) -> MixtureModel? {
                    let model = try? MixtureModel(named: name)
                    return model?.file.components == exact.file.components ? model : nil
                }
                let network = usesNetworks ? bundled("mixture-\(dimension)") : nil
                let draftModel = entry == .network ? bundled("mixture-\(dimension)-draft") : nil
                if usesNetworks, network == nil { continue }
                if entry == .network, draftModel == nil { continue }
                targets.append(
                    Target(
                        line: Line(entry: entry, dimension: dimension), model: network ?? exact, draftModel: draftModel)
                )
            }
        }
        return targets
    }

    public var page: Page {
        let sections = zip(["Against churn", "Against window"], figures).map { Page.Section($0, .figure($1)) }
        return Page(
            "Calls by dimension, churn, window and draft",
            sections: sections + [Page.Section("Every point", .text(text))])
    }

    private var figures: [Figure] {
        [
            figure(byChurn, title: "NFE against churn, window \(window.name)", xLabel: "churn ε"),
            figure(byWindow, title: "NFE against window, churn \(request.mixture.chain.churn)", xLabel: "window L"),
        ]
    }

    /// A colour for each draft, and for each dimension a marker and a strength.
    private func figure(_ table: Table, title: String, xLabel: String) -> Figure {
        var series: [Figure.Series] = []
        for entry in Entry.allCases {
            for (place, dimension) in Self.dimensions.enumerated() {
                guard let points = table[Line(entry: entry, dimension: dimension)] else { continue }
                let strength = 0.55 + 0.45 * Double(place) / Double(Self.dimensions.count - 1)
                series.append(
                    Figure.Series(
                        "\(entry.rawValue), d = \(dimension)", points,
                        mark: .line(entry.dash, Figure.Marker.allCases[place]),
                        paint: entry.paint.weakened(to: strength)))
            }
        }
        return Figure(
            title,
            note: request.count.counted("sample") + " a point" + (request.count > 1 ? "; bars: standard error" : ""),
            x: .init(xLabel, isLogarithmic: true),
            y: .init("NFE", unit: "calls a sample", isLogarithmic: true), series: series)
    }

    private func markdown(_ table: Table, _ name: String) -> String {
        guard let columns = table.first?.value.map(\.x) else { return "" }
        var lines = [
            "| draft | d | "
                + columns.map { "\(name) \($0 == $0.rounded() ? $0.formatted(digits: 0) : String($0))" }.joined(
                    separator: " | ") + " |",
            "|---|---|" + columns.map { _ in "---|" }.joined(),
        ]
        for entry in Entry.allCases {
            for dimension in Self.dimensions {
                guard let points = table[Line(entry: entry, dimension: dimension)] else { continue }
                let values = points.map { $0.y.formatted(digits: 1) }
                lines.append("| \(entry.rawValue) | \(dimension) | \(values.joined(separator: " | ")) |")
            }
        }
        return lines.joined(separator: "\n")
    }
}
