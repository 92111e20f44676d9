import Diffusion
import Imaging
import Models
import Statistics

/// What `diffspec plan` found out.
public struct Plan: RunResult {
    struct Plain: Encodable, Sendable {
        let steps: Int
        let churn: Double
        /// Predicted wall-clock of a sample; more workers don't help a single one.
        let seconds: Double
    }

    struct Cell: Encodable, Sendable {
        let steps: Int
        let churn: Double
        let draft: String
        let window: WindowRecipe
        let nfe: Double
        let evaluations: Double
        let acceptance: Double
        let predicted_acceptance: Double
        /// Predicted wall-clock of a sample, for each number of workers.
        let seconds: [Double]
        /// The same for each number of connected processes.
        let rank_seconds: [Double]

        init(
            steps: Int, churn: Double, draft: String, window: WindowRecipe, trial: Trial, seconds: [Double],
            rank_seconds: [Double]
        ) {
            self.steps = steps
            self.churn = churn
            self.draft = draft
            self.window = window
            nfe = trial.nfe
            evaluations = trial.evaluations
            acceptance = trial.acceptance
            predicted_acceptance = trial.predictedAcceptance
            self.seconds = seconds
            self.rank_seconds = rank_seconds
        }
    }

    struct Recommendation: Encodable, Sendable {
        let steps: Int
        let churn: Double
        /// Of workers without communication, or of processes that exchange messages.
        let workers: Int?
        let ranks: Int?
        /// "none" for plain sampling.
        let draft: String
        let window: WindowRecipe?
        let seconds: Double
        /// Plain over recommended.
        let speedup: Double
    }

    let model: String
    let workers: [Int]
    let ranks: [Int]
    /// Microseconds.
    let latency: Double?
    /// Gigabytes a second.
    let bandwidth: Double?
    let threads: Int
    let trajectories: Int
    let fallback: Bool
    let seed: UInt64
    let call_times: [CallTimes.Point]
    let plain: [Plain]
    let cells: [Cell]
    let recommendations: [Recommendation]
    /// The time grid with equal rejections, if it was asked for.
    let balanced: GridSearch.Result?

    /// Writes the grid that was asked for, as `--times` reads it.
    public func writeTimes(to file: String) throws { try balanced?.write(to: file) }

    init(
        model: String, workers: [Int], ranks: [Int], interconnect: Interconnect, threads: Int, trajectories: Int,
        fallback: Bool, seed: UInt64, call_times: [CallTimes.Point], plain: [Plain], cells: [Cell],
        balanced: GridSearch.Result? = nil
    ) {
        self.model = model
        self.workers = workers
        self.ranks = ranks
        latency = ranks.isEmpty ? nil : interconnect.latency * 1e6
        bandwidth = ranks.isEmpty ? nil : interconnect.bandwidth / 1e9
        self.threads = threads
        self.trajectories = trajectories
        self.fallback = fallback
        self.seed = seed
        self.call_times = call_times
        self.plain = plain
        self.cells = cells
        self.balanced = balanced
        recommendations = plain.flatMap { plain in
            let candidates = cells.filter { $0.steps == plain.steps && $0.churn == plain.churn }
            func best(_ seconds: (Cell) -> Double, workers: Int?, ranks: Int?) -> Recommendation {
                let best = candidates.min { seconds($0) < seconds($1) }.flatMap {
                    seconds($0) < plain.seconds ? $0 : nil
                }
                let time = best.map(seconds) ?? plain.seconds
                return Recommendation(
                    steps: plain.steps, churn: plain.churn, workers: workers, ranks: ranks,
                    draft: best?.draft ?? "none",
                    window: best?.window, seconds: time, speedup: plain.seconds / time)
            }
            return workers.enumerated().map { i, count in best({ $0.seconds[i] }, workers: count, ranks: nil) }
                + ranks.enumerated().map { i, count in best({ $0.rank_seconds[i] }, workers: nil, ranks: count) }
        }
    }

    public var page: Page {
        let facts = recommendations.prefix(6).map { choice in
            Page.Fact(
                choice.window.map { "\(choice.draft), \($0.name)" } ?? "plain",
                "\(choice.workers.map { $0.counted("worker") } ?? "\(choice.ranks ?? 1) processes"), \(choice.steps.counted("step")), churn \(choice.churn): \(choice.speedup.formatted(digits: 1))×"
            )
        }
        return Page(
            "What speculation would save: \(model)", facts: Array(facts),
            sections: figures.map {
                Page.Section(
                    "Predicted seconds a sample",
                    note:
                        "Each draft with the window that is best for so many workers. \(threads.counted("thread")) to a worker.",
                    .figure($0))
            } + [Page.Section("Every combination", .text(text))])
    }

    /// For each chain the time of a sample by the number of workers.
    private var figures: [Figure] {
        guard workers.count > 1 else { return [] }
        let drafts = cells.map(\.draft).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return plain.map { plain in
            let series = drafts.map { draft in
                let candidates = cells.filter {
                    $0.steps == plain.steps && $0.churn == plain.churn && $0.draft == draft
                }
                let points = workers.enumerated().map { index, count in
                    Figure.Value(Double(count), candidates.map { $0.seconds[index] }.min() ?? .nan)
                }.sorted { $0.x < $1.x }
                return Figure.Series(draft, points, paint: DraftRecipe(draft)?.paint ?? .ink)
            }
            let alone = Figure.Series(
                "plain", points: workers.sorted().map { (Double($0), plain.seconds) }, mark: .line(.dashed, nil),
                paint: .ink)
            return Figure(
                "\(plain.steps.counted("step")), churn \(plain.churn)", x: .init("workers", isLogarithmic: true),
                y: .init("a sample", unit: "s", isLogarithmic: true), series: [alone] + series)
        }
    }

    private var network: String {
        guard let latency, let bandwidth else { return "" }
        return
            ", and for R such processes \(latency.formatted(digits: 1)) µs and \(bandwidth.formatted(digits: 1)) GB/s apart"
    }

    /// A Markdown table, plain sampling first, and a line for each recommendation.
    public var text: String {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        var lines = [
            "\(model), \(trajectories == 1 ? "1 trajectory" : "\(trajectories) trajectories") each; seconds a sample, predicted for P workers of \(threads.counted("thread"))\(network)",
            "",
            row(
                ["steps", "churn", "draft", "window", "NFE", "evaluations", "acceptance"] + workers.map { "P = \($0)" }
                    + ranks.map { "R = \($0)" }),
            "|" + String(repeating: "---|", count: 7 + workers.count + ranks.count),
        ]
        for plain in plain {
            let (steps, churn) = ("\(plain.steps)", "\(plain.churn)")
            lines.append(
                row(
                    [steps, churn, "none", "", steps, steps, ""]
                        + (workers + ranks).map { _ in plain.seconds.formatted(digits: 3) }))
            for cell in cells where cell.steps == plain.steps && cell.churn == plain.churn {
                lines.append(
                    row(
                        [
                            steps, churn, cell.draft, cell.window.name, cell.nfe.formatted(digits: 1),
                            cell.evaluations.formatted(digits: 0), "\((100 * cell.acceptance).formatted(digits: 1)) %",
                        ] + (cell.seconds + cell.rank_seconds).map { $0.formatted(digits: 3) }))
            }
        }
        lines.append("")
        for choice in recommendations {
            let what =
                if let window = choice.window {
                    "--draft \(choice.draft) --window \(window.name), \(choice.speedup.formatted(digits: 2)) times as fast as plain sampling"
                } else {
                    "--draft none: no draft beats plain sampling"
                }
            let machines =
                choice.workers.map { $0.counted("worker") }
                ?? (choice.ranks == 1 ? "1 process" : "\(choice.ranks ?? 1) processes")
            lines.append("\(choice.steps.counted("step")), churn \(choice.churn), \(machines): \(what)")
        }
        if let balanced { lines += ["", balanced.text] }
        return lines.joined(separator: "\n")
    }
}
