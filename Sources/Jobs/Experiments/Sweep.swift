import Diffusion
import Foundation
import Imaging
import Models
import Statistics

/// What `diffspec sweep` found out.
public struct Sweep: RunResult {
    struct Setting {
        let steps: Int
        let churn: Double
        let temperature: Double
        let draft: DraftRecipe
        let window: WindowRecipe
    }

    struct Cell: Encodable, Sendable {
        let steps: Int
        let churn: Double
        let temperature: Double
        let draft: String
        let window: String
        let nfe: Double
        /// Of the mean.
        @Nullable var nfe_standard_error: Double?
        /// Verification calls alone.
        let windows: Double
        let evaluations: Double
        /// Accepted of decided drafts.
        let acceptance: Double
        let exact: Bool

        /// - Parameter costs: of at least one sample.
        init(_ setting: Setting, costs: [SamplingCost], isExact: Bool) {
            (steps, churn, temperature) = (setting.steps, setting.churn, setting.temperature)
            (draft, window) = (setting.draft.name, setting.window.name)
            let calls = costs.map { Double($0.calls) }
            nfe = calls.mean
            _nfe_standard_error = Nullable(wrappedValue: calls.standardError)
            windows = costs.map { Double($0.windows) }.mean
            evaluations = costs.map { Double($0.evaluations) }.mean
            acceptance = costs.acceptance
            exact = isExact
        }
    }

    let model: String
    let count: Int
    let fallback: Bool
    let seed: UInt64
    let cells: [Cell]

    private static let columns = [
        "steps", "churn", "temperature", "draft", "window", "nfe", "nfe_standard_error", "windows", "evaluations",
        "acceptance",
        "exact",
    ]

    public var csv: String {
        ([Self.columns]
            + cells.map { cell in
                [
                    "\(cell.steps)", "\(cell.churn)", "\(cell.temperature)", Self.quoted(cell.draft), cell.window,
                    "\(cell.nfe)", cell.nfe_standard_error.map { "\($0)" } ?? "", "\(cell.windows)",
                    "\(cell.evaluations)",
                    "\(cell.acceptance)", "\(cell.exact)",
                ]
            }).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    /// A field of a CSV file (RFC 4180); a mixture's name has commas.
    private static func quoted(_ field: String) -> String {
        field.contains(",") || field.contains("\"")
            ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
    }

    /// A Markdown table.
    public var text: String {
        var lines = [
            "\(model), \(count) samples a cell, seed \(seed); mean ± standard error", "",
            "| steps | window | temperature | churn | draft | NFE | windows | evaluations | acceptance | exact |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for cell in cells {
            let nfe = "\(cell.nfe.formatted(digits: 1)) ± \(cell.nfe_standard_error.formatted(digits: 1))"
            lines.append(
                "| \(cell.steps) | \(cell.window) | \(cell.temperature) | \(cell.churn) | \(cell.draft) | \(nfe) | "
                    + "\(cell.windows.formatted(digits: 1)) | \(cell.evaluations.formatted(digits: 0)) | \((100 * cell.acceptance).formatted(digits: 0)) % | "
                    + "\(cell.exact ? "yes" : "no") |")
        }
        return lines.joined(separator: "\n")
    }

    /// An option that cells differ in, as numbers.
    private struct Axis: Sendable {
        let name: String
        let value: @Sendable (Cell) -> Double?

        static let all = [
            Axis(name: "churn") { $0.churn }, Axis(name: "window L") { Double($0.window) },
            Axis(name: "steps K") { Double($0.steps) }, Axis(name: "temperature") { $0.temperature },
        ]

        func values(of cells: [Cell]) -> Set<Double> { Set(cells.compactMap(value)) }
    }

    public func writePlot(to file: String) throws { try plot.image().writePNG(to: file) }

    /// NFE against the option with the most values; a line for each combination of the others.
    private var plot: Plot {
        let axes = Axis.all
        let main = axes.indices.max { axes[$0].values(of: cells).count < axes[$1].values(of: cells).count } ?? 0
        let others = axes.indices.filter { $0 != main && axes[$0].values(of: cells).count > 1 }
        func label(_ cell: Cell) -> String {
            cell.draft
                + others.map { ", \(axes[$0].name) \(axes[$0].value(cell).map { "\($0)" } ?? cell.window)" }.joined()
        }
        var labels: [String] = []
        for cell in cells where axes[main].value(cell) != nil && !labels.contains(label(cell)) {
            labels.append(label(cell))
        }
        let drafts = cells.map(\.draft).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let styles: [Plot.Style] = [.line, .dashed, .dots]
        let series = labels.map { name in
            let points = cells.filter { label($0) == name }.compactMap { cell in
                axes[main].value(cell).map { (x: $0, y: cell.nfe) }
            }.sorted { $0.x < $1.x }
            // A colour for each draft, a style for each of its lines.
            let draft = cells.first { label($0) == name }?.draft
            let place = drafts.firstIndex { $0 == draft } ?? 0
            let earlier = labels.prefix { $0 != name }.count { other in
                cells.contains { label($0) == other && $0.draft == draft }
            }
            return Plot.Series(
                name, points, style: styles[earlier % styles.count],
                colour: .gradient(Double(place) / Double(max(1, drafts.count - 1))))
        }
        return Plot(
            title: "\(model): calls a sample", xLabel: axes[main].name, yLabel: "NFE", series: series,
            // Room for the legend above the lines.
            yRange: 0...(cells.map(\.nfe).max() ?? 1) * (1.05 + 0.045 * Double(labels.count)))
    }
}
