import Foundation
import Imaging

/// DB25's Figure 3: mean NFE against churn and against window, over dimensions, for three drafts.
struct MixtureFigure {
    let options: MixtureOptions
    /// Samples a point.
    let samples: Int
    /// The window of the sweep over churn.
    let window: Int
    let seed: UInt64
    let threads: Int
    let isQuiet: Bool

    private static let dimensions = [2, 4, 8, 16, 32]
    private static let churns = [0.1, 0.25, 0.5, 1, 1.5, 2]
    private static let windows = [2, 5, 10, 20, 40, 80]
    private static let drafts: [MixtureOptions.DraftName] = [.frozen, .independent, .recycled]

    /// Mean NFE by draft, dimension and setting.
    private typealias Table = [MixtureOptions.DraftName: [Int: [(x: Double, y: Double)]]]

    func write(to folder: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw OutputError(path: folder, reason: error.localizedDescription)
        }
        let points = Self.dimensions.count * Self.drafts.count * (Self.churns.count + Self.windows.count)
        var progress = Progress("figure", total: Double(points), isQuiet: isQuiet)
        var done = 0
        defer { progress.finish() }
        func sweep(_ settings: [(x: Double, churn: Double, window: Int)]) throws -> Table {
            var table: Table = [:]
            for draft in Self.drafts {
                for dimension in Self.dimensions {
                    table[draft, default: [:]][dimension] = try settings.map { setting in
                        var options = options
                        options.dimension = dimension
                        options.churn = setting.churn
                        let run = try MixtureRun(
                            options, draft: draft, window: setting.window, samples: 0..<samples, seed: seed,
                            threads: threads, onRound: { _ in try Interruption.check() })
                        done += 1
                        progress.update(done: Double(done)) { _ in "\(done) of \(points) points" }
                        return (x: setting.x, y: run.nfe.mean)
                    }
                }
            }
            return table
        }
        let byChurn = try sweep(Self.churns.map { ($0, $0, window) })
        let byWindow = try sweep(Self.windows.map { (Double($0), options.churn, $0) })

        func path(_ name: String) -> String { URL(fileURLWithPath: folder).appendingPathComponent(name).path }
        try plot(byChurn, title: "NFE against churn, window \(window)", xLabel: "churn").image()
            .writePNG(to: path("figure3-churn.png"))
        try plot(byWindow, title: "NFE against window, churn \(options.churn)", xLabel: "window L").image()
            .writePNG(to: path("figure3-window.png"))
        let text = """
            Mixtures of \(options.components) components, \(options.steps) steps, \(samples) samples a point, mean NFE.
            Frozen is the frozen drift, independent a single Gaussian of the mixture's moments, recycled the first-order one.

            Against churn, window \(window):

            \(markdown(byChurn, "churn"))

            Against window, churn \(options.churn):

            \(markdown(byWindow, "window"))

            """
        do {
            try text.write(toFile: path("figure3.md"), atomically: true, encoding: .utf8)
        } catch {
            throw OutputError(path: path("figure3.md"), reason: error.localizedDescription)
        }
    }

    private func plot(_ table: Table, title: String, xLabel: String) -> Plot {
        var series: [Plot.Series] = []
        for (draft, style) in zip(Self.drafts, [Plot.Style.line, .dashed, .line]) {
            for (i, dimension) in Self.dimensions.enumerated() {
                // The published colours for the published drafts; the recycled one stands out in shades of blue.
                let position = Double(i) / Double(Self.dimensions.count - 1)
                let colour =
                    draft == .recycled
                    ? Colour(UInt8(140 - 140 * position), UInt8(190 - 100 * position), 240) : Colour.gradient(position)
                let label = i == 0 || i == Self.dimensions.count - 1 ? "\(draft.rawValue), d = \(dimension)" : ""
                series.append(
                    Plot.Series(label, table[draft]?[dimension] ?? [], style: style, colour: colour))
            }
        }
        return Plot(title: title, xLabel: xLabel, yLabel: "NFE", series: series, yRange: 0...Double(options.steps) * 1.1)
    }

    private func markdown(_ table: Table, _ name: String) -> String {
        guard let columns = table[Self.drafts[0]]?[Self.dimensions[0]]?.map(\.x) else { return "" }
        var lines = [
            "| draft | d | " + columns.map { "\(name) \($0 == $0.rounded() ? $0.formatted(digits: 0) : String($0))" }.joined(separator: " | ") + " |",
            "|---|---|" + columns.map { _ in "---|" }.joined(),
        ]
        for draft in Self.drafts {
            for dimension in Self.dimensions {
                let values = (table[draft]?[dimension] ?? []).map { $0.y.formatted(digits: 1) }
                lines.append("| \(draft.rawValue) | \(dimension) | \(values.joined(separator: " | ")) |")
            }
        }
        return lines.joined(separator: "\n")
    }
}
