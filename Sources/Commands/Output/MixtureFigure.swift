import Foundation
import Imaging
import Models

/// DB25's Figure 3: mean NFE against churn and against window, over dimensions and drafts.
struct MixtureFigure {
    let mixture: MixtureOptions
    let options: RunOptions
    /// Samples a point.
    let samples: Int
    /// Whether the target is the bundled network of each dimension that has one, in place of the exact score.
    let usesNetworks: Bool

    private static let dimensions = [2, 4, 8, 16, 32]
    private static let churns = [0.1, 0.25, 0.5, 1, 1.5, 2]
    private static let windows = [2, 5, 10, 20, 40, 80]

    private enum Entry: String, CaseIterable {
        case frozen
        case gaussian = "single Gaussian"
        case network = "4-wide network"
        case recycled

        var draft: MixtureOptions.DraftName {
            switch self {
            case .frozen: .frozen
            case .gaussian, .network: .independent
            case .recycled: .recycled
            }
        }
    }

    /// What one line of the figure is about.
    private struct Line: Hashable {
        let entry: Entry
        let dimension: Int
    }
    /// Mean NFE by setting.
    private typealias Table = [Line: [(x: Double, y: Double)]]

    func write(to folder: String) throws {
        let targets = try targets()
        guard let first = targets.first?.1 else {
            throw ModelError(
                "--networks", expected: "folders mixture-D and mixture-D-draft for these mixtures", found: "none",
                remedy:
                    "leave --components and --mixture-seed away, or train networks and set \(BundledModels.environmentVariable)"
            )
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw OutputError(path: folder, reason: error.localizedDescription)
        }
        let points = targets.count * (Self.churns.count + Self.windows.count)
        var progress = Progress("figure", total: Double(points), isQuiet: options.quiet)
        var done = 0
        defer { progress.finish() }
        func sweep(_ settings: [(x: Double, churn: Double, window: Int)]) throws -> Table {
            var table: Table = [:]
            for (line, target) in targets {
                table[line] = try settings.map { setting in
                    let run = try MixtureRun(
                        MixtureTarget(
                            file: target.file, network: target.network, draftNetwork: target.draftNetwork,
                            steps: mixture.steps, churn: setting.churn),
                        draft: line.entry.draft, window: setting.window, count: samples, seed: options.seed,
                        threads: options.threads, onRound: { _ in try Interruption.check() })
                    done += 1
                    progress.update(done: Double(done)) { _ in "\(done) of \(points) points" }
                    return (x: setting.x, y: run.nfe.mean)
                }
            }
            return table
        }
        let byChurn = try sweep(Self.churns.map { ($0, $0, options.window) })
        let byWindow = try sweep(Self.windows.map { (Double($0), mixture.churn, $0) })

        let name = usesNetworks ? "figure3-networks" : "figure3"
        func path(_ end: String) -> String { URL(fileURLWithPath: folder).appendingPathComponent(name + end).path }
        try plot(byChurn, title: "NFE against churn, window \(options.window)", xLabel: "churn").image()
            .writePNG(to: path("-churn.png"))
        try plot(byWindow, title: "NFE against window, churn \(mixture.churn)", xLabel: "window L").image()
            .writePNG(to: path("-window.png"))
        let text = """
            \(first.file.components.count) components, \(mixture.steps) steps, \(samples) samples a point, mean NFE. Target: \
            \(usesNetworks ? "the trained network, with labels" : "the mixture's exact score").
            Drafts: the frozen drift; independent, a single Gaussian of the mixture's moments\
            \(usesNetworks ? ", or the 4-wide network trained with the target" : ""); recycled, to first order.

            Against churn, window \(options.window):

            \(markdown(byChurn, "churn"))

            Against window, churn \(mixture.churn):

            \(markdown(byWindow, "window"))

            """
        do {
            try text.write(toFile: path(".md"), atomically: true, encoding: .utf8)
        } catch {
            throw OutputError(path: path(".md"), reason: error.localizedDescription)
        }
    }

    /// The lines of the figure; the networks' where there are bundled ones for the very mixture.
    private func targets() throws -> [(Line, MixtureTarget)] {
        var targets: [(Line, MixtureTarget)] = []
        for entry in Entry.allCases where usesNetworks || entry != .network {
            for dimension in Self.dimensions {
                var options = mixture
                options.dimension = dimension
                let file = options.file()
                func bundled(_ name: String) -> MixtureModel? {
                    let model = (try? BundledModels.folder(name)).flatMap { try? MixtureModel(folder: $0) }
                    return model?.mixture.components == file.components ? model : nil
                }
                let network = usesNetworks ? bundled("mixture-\(dimension)") : nil
                let draftNetwork = entry == .network ? bundled("mixture-\(dimension)-draft") : nil
                if usesNetworks, network == nil { continue }
                if entry == .network, draftNetwork == nil { continue }
                targets.append(
                    (
                        Line(entry: entry, dimension: dimension),
                        try MixtureTarget(
                            file: file, network: network, draftNetwork: draftNetwork, steps: mixture.steps,
                            churn: mixture.churn)
                    ))
            }
        }
        return targets
    }

    private func plot(_ table: Table, title: String, xLabel: String) -> Plot {
        var series: [Plot.Series] = []
        for entry in Entry.allCases {
            let dimensions = Self.dimensions.filter { table[Line(entry: entry, dimension: $0)] != nil }
            for dimension in dimensions {
                // The published colours for the published drafts; the recycled one stands out in shades of blue.
                let position =
                    Double(Self.dimensions.firstIndex(of: dimension) ?? 0) / Double(Self.dimensions.count - 1)
                let colour =
                    switch entry {
                    case .gaussian where usesNetworks: Colour.lightGrey
                    case .frozen, .gaussian, .network: Colour.gradient(position)
                    case .recycled: Colour(UInt8(140 - 140 * position), UInt8(190 - 100 * position), 240)
                    }
                let isEnd = dimension == dimensions.first || dimension == dimensions.last
                series.append(
                    Plot.Series(
                        isEnd ? "\(entry.rawValue), d = \(dimension)" : "",
                        table[Line(entry: entry, dimension: dimension)] ?? [],
                        style: entry == .gaussian || entry == .network ? .dashed : .line, colour: colour))
            }
        }
        return Plot(
            title: title, xLabel: xLabel, yLabel: "NFE", series: series, yRange: 0...Double(mixture.steps) * 1.1)
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
