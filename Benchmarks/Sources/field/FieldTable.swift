import Couplings
import Diffusion
import Foundation
import Imaging
import Models

/// Every method on every model: what it costs in calls, rows and seconds.
struct FieldTable {
    private let folder: URL
    /// Of the samples, and of the time.
    private let share: Double
    private let random = RandomSource(seed: TableModels.seed)
    private var begin = ContinuousClock.now
    /// What is written of the models that are done.
    private var finished: [String] = []
    /// Estimated seconds of all of it, and of what is done.
    private var (total, done) = (0.0, 0.0)

    init(folder: String, share: Double) throws {
        (self.folder, self.share) = (URL(fileURLWithPath: folder), share)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    }

    mutating func make() throws {
        // The cheap ones first.
        var parts = [
            try part(TableModels.mixture("mixture-32", cells: [(30, 400), (100, 200), (1000, 40)])),
            try part(TableModels.phi4(cells: [(30, 400), (100, 200), (1000, 40)])),
            try part(TableModels.policy("pusht", cells: [(30, 80), (100, 40), (1000, 10)])),
            try part(TableModels.image("fashion-mnist", cells: [(30, 64), (100, 48), (1000, 12)])),
        ]
        // Its network is not part of every copy of the project.
        if (try? BundledModels.folder("cifar10")) != nil {
            parts.append(try part(TableModels.image("cifar10", cells: [(30, 24), (100, 12), (1000, 3)])))
        }
        total = parts.reduce(0) { $0 + $1.seconds }
        begin = .now
        report("seed \(TableModels.seed), \(share == 1 ? "all samples" : "\(share) of the samples")")
        for part in parts { try part.make(&self) }
    }

    /// A model, whatever its chain is.
    private struct Part {
        /// About how long it takes.
        let seconds: Double
        let make: (inout FieldTable) throws -> Void
    }

    private func part<Chain, Companions>(_ whole: TableModel<Chain, Companions>) throws -> Part {
        let model = share == 1 ? whole : whole.sharing(share)
        let times = try CallSeconds(of: model.chain(100, 2))
        // Two threads, each with rows that it takes some at a time; and what drafting takes where calls take next to nothing.
        let perRow = times(rows: 8) / 8 / 2 + 3e-5
        return Part(seconds: try model.rows() * perRow) { try $0.add(model, times, secondsPerRow: perRow) }
    }

    private mutating func add<Chain, Companions>(
        _ model: TableModel<Chain, Companions>, _ times: CallSeconds, secondsPerRow: Double
    ) throws {
        var cells: [Cell] = []
        var (checked, missing): ([String], [String]) = ([], [])
        for (steps, samples) in model.cells {
            let chain = try model.chain(steps, samples)
            let companions = try model.companions(chain, steps)
            checked.append("\(try agreement(chain, samples: min(4, samples))) at K = \(steps)")
            for method in try model.methods(steps: steps) {
                let count = method.count(of: samples)
                let (recorded, stopwatch) = (RecordedChain(base: chain), Stopwatch())
                done += method.rows(steps, samples) * secondsPerRow
                let name =
                    "\(method.name), \(method.window.map { "L = \($0)" } ?? "no window"), K = \(steps)"
                let costs: [CountedCost]
                do {
                    costs = try method.costs(
                        of: chain, samples: count, random: random, companions: companions, recordedBy: recorded,
                        overhead: stopwatch)
                } catch let error as DiffusionError {
                    // What has no numbers has no row, and the others are worth having all the same.
                    missing.append("\(name): \(error)")
                    continue
                }
                cells.append(
                    try Cell(
                        method, steps: steps, costs: costs, calls: recorded.log.calls,
                        overhead: max(0, stopwatch.seconds - recorded.log.seconds), times: times))
                try write(section(of: model, cells, times, checked, missing))
                report("\(model.name), \(name)")
            }
        }
        finished.append(section(of: model, cells, times, checked, missing))
        try figure(of: model.name, cells).image(width: 1000, height: 620).writePNG(
            to: folder.appendingPathComponent(model.name + ".png").path)
    }

    /// How many samples the combs' loop, without branches, counts as the library's sampler does.
    private func agreement<Chain: GaussianChain>(_ chain: Chain, samples: Int) throws -> String {
        let window = min(20, chain.stepCount)
        var library: [Int: CountedCost] = [:]
        try SpeculativeSampler(chain: chain, draft: RecycledDraft(), window: window, random: random)
            .run(samples: 0..<samples, lanes: samples) { library[$0.sample] = CountedCost($0.cost) }
        let loop = CombLoop(chain: chain, random: random, window: window)
        let same = try (0..<samples).count { try loop.run(sample: $0) == library[$0] }
        return "\(same) of \(samples)"
    }

    // MARK: What is written

    private func section<Chain, Companions>(
        of model: TableModel<Chain, Companions>, _ cells: [Cell], _ times: CallSeconds, _ checked: [String],
        _ missing: [String]
    ) -> String {
        let calls = times.points.map { "\($0.rows): \(String(format: "%.3g", $0.seconds * 1e3))" }
        let lines = model.cells.flatMap { steps, _ in
            let here = cells.filter { $0.steps == steps }
            let front = Cell.front(here)
            return here.map { cell in
                cell.line(
                    isOnFront: front.contains {
                        $0.method.name == cell.method.name && $0.method.window == cell.method.window
                    })
            }
        }
        return """
            ## \(model.name)

            \(model.note)

            Milliseconds of a call by its rows, on one thread: \(calls.joined(separator: ", ")). Without branches the loop of the combs
            counts what the library's does: \(checked.joined(separator: ", ")).

            \(Cell.head)
            \(lines.joined(separator: "\n"))
            \(missing.map { "\nWithout a row: \($0).\n" }.joined())
            ![calls against rows](\(model.name).png)
            """
    }

    private func write(_ section: String) throws {
        let head = """
            # The table of the field

            `field table OUT_DIR\(share == 1 ? "" : " --share \(share)")`, seed \(TableModels.seed). Means of so many samples with their standard errors; \
            no fallback. L is the window.

            - *Seconds* are predicted, of one sample on so many workers of one thread each: its calls, where a worker gets
              `1 + (rows - 1)/workers` of a call's rows, and the processor's time for drafting and verifying, a draft's own network
              with it, which is not shared out.
            - *Combs* have two drafts at each of the first 5 open steps, and branches of depth 4; *two paths* have two drafts at the first
              open step, both followed to the window's end. Their loop is a prototype that prepares its rule anew at every such step,
              which takes far more time than it need: their seconds say little where calls are cheap.
            - "•": no other method of that model and K has fewer calls at no more rows.
            """
        let text = ([head] + finished + [section]).joined(separator: "\n\n") + "\n"
        try Data(text.utf8).write(to: folder.appendingPathComponent("table.md"), options: .atomic)
    }

    private func figure(of name: String, _ cells: [Cell]) -> Figure {
        let steps = cells.map(\.steps).reduce(into: [Int]()) { if !$0.contains($1) { $0.append($1) } }
        var series = zip(steps, Figure.Dash.allCases).map { steps, dash in
            Figure.Series(
                "front, K = \(steps)",
                points: Cell.front(cells.filter { $0.steps == steps }).map { ($0.rows.value, $0.calls.value) },
                mark: .line(dash, nil), paint: .muted)
        }
        // The names first, in the table's order; the points from the last of them to the first, so that the plainest lie on top.
        var named: Set<String> = []
        for method in cells.map(\.method) where named.insert(method.name).inserted {
            series.append(
                Figure.Series(method.name, [], mark: .line(.solid, method.marker), paint: method.paint))
        }
        for cell in cells.reversed() {
            let place = Double((steps.firstIndex(of: cell.steps) ?? 0) + 1) / Double(steps.count)
            series.append(
                Figure.Series(
                    "", points: [(cell.rows.value, cell.calls.value)], mark: .line(.solid, cell.method.marker),
                    paint: cell.method.paint.weakened(to: 0.25 + 0.75 * place)))
        }
        return Figure(
            "\(name): calls of a sample against its rows",
            note:
                "Window 20, recycled with reflection also 10, 40 and 80; the smaller K, the paler. A front joins what no other has "
                + "fewer calls than at no more rows.",
            x: .init("rows", isLogarithmic: true), y: .init("calls", isLogarithmic: true), series: series)
    }

    private func report(_ what: String) {
        let spent = (ContinuousClock.now - begin).seconds
        let left = done > 0 ? spent * (total - done) / done : total
        let line = String(format: "%.0f s, about %.0f s left: ", spent, max(0, left)) + what + "\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
