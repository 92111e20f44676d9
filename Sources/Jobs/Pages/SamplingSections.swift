import Imaging
import Models
import Reports
import Statistics

/// The sections that all pages about samples share.
struct SamplingSections {
    let report: Report
    let windows: WindowLog
    /// Rows that a state takes in a call: two where guidance asks for the prediction without a class too.
    let rowsAState: Int

    private var paint: Paint { DraftRecipe(report.draft).map { $0 == .none ? .ink : $0.paint } ?? .series(0) }
    private var isPlain: Bool { report.draft == "none" }

    var title: String {
        "\(report.model): \(report.count.counted("sample")) of \(report.steps.counted("step"))"
            + (isPlain ? ", plain" : ", draft \(report.draft)")
    }

    var facts: [Page.Fact] {
        let (steps, nfe, rows) = (Double(report.steps), report.nfe.mean, report.evaluations.mean)
        var facts = [
            Page.Fact(
                "\(nfe.formatted(digits: 1))", isPlain ? "calls a sample" : "calls a sample, plain \(report.steps)")
        ]
        if !isPlain {
            facts += [
                Page.Fact("\((steps / max(nfe, 1e-9)).formatted(digits: 1))×", "fewer calls"),
                Page.Fact("\((rows / rowsOfPlain).formatted(digits: 2))×", "rows of plain sampling"),
                Page.Fact("\((100 * report.acceptance).formatted(digits: 1)) %", "drafts accepted"),
            ]
        }
        return facts + [
            Page.Fact(
                "\(report.wall_seconds.formatted(digits: 1)) s", "by the clock, \(report.threads.counted("thread"))"),
            Page.Fact(
                report.exact ? "exact" : "not exact", report.exact ? "the law of plain sampling" : "rule \(report.rule)"
            ),
        ]
    }

    /// - Parameter plain: measured; nil for what plain sampling takes by its definition.
    func costs(beside plain: Report? = nil) -> Page.Section {
        let steps = Double(report.steps)
        let (plainCalls, plainRows) = (plain?.nfe.mean ?? steps, plain?.evaluations.mean ?? rowsOfPlain)
        func bar(_ place: Double, _ value: Double) -> [Figure.Value] {
            [.init(0, place - 0.36), .init(value, place + 0.36)]
        }
        let figure = Figure(
            "Calls and rows a sample",
            x: .init("a sample", range: 0...max(plainCalls, plainRows, report.evaluations.mean) * 1.04),
            y: .init("", range: -0.6...3.6, isReversed: true, names: ["calls, plain", "calls", "rows, plain", "rows"]),
            series: [
                .init("", bar(0, plainCalls) + bar(2, plainRows), mark: .boxes, paint: .faint),
                .init("", bar(1, report.nfe.mean) + bar(3, report.evaluations.mean), mark: .boxes, paint: paint),
            ], shape: .flat)
        let table = Page.Table(
            ["", "plain", isPlain ? "this run" : report.draft, "least", "most"],
            [
                [
                    "calls a sample", plainCalls.formatted(digits: 1), report.nfe.mean.formatted(digits: 1),
                    "\(report.nfe.min)", "\(report.nfe.max)",
                ],
                [
                    "rows a sample", plainRows.formatted(digits: 1), report.evaluations.mean.formatted(digits: 1),
                    "\(report.evaluations.min)", "\(report.evaluations.max)",
                ],
            ])
        return Page.Section(
            "Calls and rows against plain sampling",
            note:
                "Calls follow one another; the rows of a call are computed side by side. Plain sampling takes a call a step.",
            .figure(figure), .table(table))
    }

    private var rowsOfPlain: Double { Double(report.steps * rowsAState) }

    /// Steps that share a point of the figure.
    private static let mostPoints = 50

    var acceptance: Page.Section? {
        let steps = report.by_step.filter { $0.drafted > 0 }
        guard let last = report.by_step.last?.step, !steps.isEmpty else { return nil }
        let stride = (report.by_step.count + Self.mostPoints - 1) / Self.mostPoints
        let groups = Dictionary(grouping: steps) { $0.step / stride }.sorted { $0.key < $1.key }.map(\.value)
        var (predicted, seen) = ([Figure.Value](), [Figure.Value]())
        for group in groups {
            let drafted = Double(group.reduce(0) { $0 + $1.drafted })
            let middle = group.reduce(0) { $0 + Double($1.step) } / Double(group.count)
            let part = Double(group.reduce(0) { $0 + $1.accepted }) / drafted
            predicted.append(
                .init(middle, group.reduce(0) { $0 + $1.predicted_acceptance * Double($1.drafted) } / drafted))
            seen.append(.init(middle, part, error: (part * (1 - part) / drafted).squareRoot()))
        }
        let note = stride > 1 ? "a point for \(stride) steps; bars: standard error" : "bars: standard error"
        return Page.Section(
            "Acceptance by step",
            note:
                "The part of the drafts that was accepted where they came to be decided, and the mean of the acceptance that their distances from the target predict.",
            .figure(
                Figure(
                    "Acceptance by step, predicted and seen", note: note,
                    x: .init("step", range: 0...Double(max(1, last))),
                    y: .init("accepted", range: 0...1.02),
                    series: [
                        .init("predicted", predicted, mark: .line(.solid, nil), paint: .ink),
                        .init("seen", seen, mark: .dots(diameter: 7), paint: paint),
                    ])))
    }

    var timeline: Page.Section? {
        let samples = windows.bySample
        guard !isPlain, !samples.isEmpty else { return nil }
        let figures = samples.map { sample, windows in
            func boxes(_ part: (WindowLog.Window) -> Range<Int>) -> [Figure.Value] {
                windows.enumerated().flatMap { call, window -> [Figure.Value] in
                    let steps = part(window)
                    guard !steps.isEmpty else { return [] }
                    return [
                        .init(Double(steps.lowerBound), Double(call) + 0.6),
                        .init(Double(steps.upperBound), Double(call) + 1.4),
                    ]
                }
            }
            let repaired = boxes { $0.isRepaired ? $0.firstStep + $0.accepted..<$0.firstStep + $0.accepted + 1 : 0..<0 }
            return Figure(
                "Sample \(sample): \(windows.count.counted("window"))",
                x: .init("step", range: 0...Double(report.steps)),
                y: .init("window", range: 0.4...Double(windows.count) + 0.6, isReversed: true),
                series: [
                    .init(
                        "", boxes { $0.firstStep..<$0.firstStep + $0.length }, mark: .boxes,
                        paint: .faint),
                    .init("", boxes { $0.firstStep..<$0.firstStep + $0.accepted }, mark: .boxes, paint: .series(0)),
                    .init("", repaired, mark: .boxes, paint: .series(1)),
                ])
        }
        return Page.Section(
            "Windows, one after the other",
            note:
                "Each row is a call: blue are the steps whose drafts were accepted; orange is the first that was rejected, which the rule repaired; grey was drafted beyond it, for nothing.",
            .smallFigures(figures))
    }

    var all: [Page.Section] { [costs()] + [acceptance, timeline].compactMap(\.self) }
}
