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

        /// Of a table that was begun.
        init?(fields: [String]) {
            guard fields.count == SweepTable.cellColumns.count, let steps = Int(fields[0]),
                let churn = Double(fields[1]),
                let temperature = Double(fields[2]), let nfe = Double(fields[5]), let windows = Double(fields[7]),
                let evaluations = Double(fields[8]), let acceptance = Double(fields[9]), let exact = Bool(fields[10])
            else { return nil }
            (self.steps, self.churn, self.temperature, draft, window) = (
                steps, churn, temperature, fields[3], fields[4]
            )
            (self.nfe, self.windows, self.evaluations) = (nfe, windows, evaluations)
            _nfe_standard_error = Nullable(wrappedValue: Double(fields[6]))
            (self.acceptance, self.exact) = (acceptance, exact)
        }

        /// As a table has it.
        var fields: [String] {
            [
                "\(steps)", "\(churn)", "\(temperature)", draft, window, "\(nfe)",
                nfe_standard_error.map { "\($0)" } ?? "", "\(windows)", "\(evaluations)", "\(acceptance)", "\(exact)",
            ]
        }

        func isOf(_ setting: Setting) -> Bool {
            steps == setting.steps && churn == setting.churn && temperature == setting.temperature
                && draft == setting.draft.name && window == setting.window.name
        }

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

    /// A Markdown table.
    public var text: String {
        let errors =
            switch count {
            case 1: ""
            case ..<5: "; mean ± standard error, of so few samples a rough guess"
            default: "; mean ± standard error"
            }
        var lines = [
            "\(model), \(count.counted("sample")) a cell, seed \(seed)\(errors)",
            "",
            "| steps | window | temperature | churn | draft | NFE | windows | evaluations | acceptance | exact |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for cell in cells {
            let error = cell.nfe_standard_error.map { " ± \($0.formatted(digits: 1))" } ?? ""
            let nfe = "\(cell.nfe.formatted(digits: 1))\(error)"
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
        /// In formulas.
        let symbol: String
        let value: @Sendable (Cell) -> Double?

        static let all = [
            Axis(name: "churn ε", symbol: "ε") { $0.churn }, Axis(name: "window L", symbol: "L") { Double($0.window) },
            Axis(name: "steps K", symbol: "K") { Double($0.steps) },
            Axis(name: "temperature τ", symbol: "τ") { $0.temperature },
        ]

        func values(of cells: [Cell]) -> Set<Double> { Set(cells.compactMap(value)) }
    }

    public var page: Page {
        let best = cells.filter(\.exact).min { $0.nfe < $1.nfe }
        let facts =
            best.map {
                [
                    Page.Fact("\($0.nfe.formatted(digits: 1))", "calls a sample, the fewest of an exact cell"),
                    Page.Fact($0.draft, "its draft"), Page.Fact("\($0.churn)", "its churn"),
                    Page.Fact($0.window, "its window"), Page.Fact("\($0.steps)", "its steps"),
                ]
            } ?? []
        return Page(
            "\(model): calls by setting, \(cells.count.counted("cell"))", facts: facts,
            sections: [Page.Section("Calls a sample", .figure(figure)), Page.Section("Every cell", .text(text))])
    }

    public func writePlot(to file: String) throws { try figure.image().writePNG(to: file) }

    /// NFE against the option with the most values; a line for each combination of the others.
    private var figure: Figure {
        let axes = Axis.all
        let main = axes.indices.max { axes[$0].values(of: cells).count < axes[$1].values(of: cells).count } ?? 0
        let others = axes.indices.filter { $0 != main && axes[$0].values(of: cells).count > 1 }
        func label(_ cell: Cell) -> String {
            cell.draft
                + others.map { ", \(axes[$0].symbol) = \(axes[$0].value(cell).map(Self.short) ?? cell.window)" }
                .joined()
        }
        var lines: [(label: String, draft: String, cells: [Cell])] = []
        for cell in cells where axes[main].value(cell) != nil {
            let label = label(cell)
            if let place = lines.firstIndex(where: { $0.label == label }) {
                lines[place].cells.append(cell)
            } else {
                lines.append((label, cell.draft, [cell]))
            }
        }
        // A draft's lines stand together.
        let drafts = lines.map(\.draft)
        lines = lines.enumerated().sorted {
            (drafts.firstIndex(of: $0.element.draft) ?? 0, $0.offset) < (
                drafts.firstIndex(of: $1.element.draft) ?? 0, $1.offset
            )
        }.map(\.element)
        let series = lines.enumerated().map { place, line in
            let values = line.cells.compactMap { cell in
                axes[main].value(cell).map { Figure.Value($0, cell.nfe, error: cell.nfe_standard_error) }
            }.sorted { $0.x < $1.x }
            // A colour for each draft, a dash and a marker for each of its lines.
            let earlier = lines.prefix(place).count { $0.draft == line.draft }
            let (dashes, markers) = (Figure.Dash.allCases, Figure.Marker.allCases)
            return Figure.Series(
                line.label, values,
                mark: .line(dashes[earlier % dashes.count], markers[earlier % markers.count]),
                paint: DraftRecipe(line.draft)?.paint ?? .ink)
        }
        func isWide(_ values: [Double], _ factor: Double) -> Bool {
            (values.min() ?? 0) > 0 && (values.max() ?? 0) > factor * (values.min() ?? 0)
        }
        return Figure(
            "\(model): calls a sample",
            note: count == 1 ? "one sample a cell" : "\(count) samples a cell; bars: standard error",
            x: .init(axes[main].name, isLogarithmic: isWide(Array(axes[main].values(of: cells)), 8)),
            y: .init("NFE", unit: "calls a sample", isLogarithmic: isWide(cells.map(\.nfe), 5)),
            series: series)
    }

    /// 20 rather than 20.0.
    private static func short(_ value: Double) -> String { String(format: "%g", value) }
}
