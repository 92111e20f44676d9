import Diffusion
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

    init(
        model: String, workers: [Int], ranks: [Int], interconnect: Interconnect, threads: Int, trajectories: Int,
        fallback: Bool, seed: UInt64, call_times: [CallTimes.Point], plain: [Plain], cells: [Cell]
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

    private var network: String {
        guard let latency, let bandwidth else { return "" }
        return
            ", and for R such processes \(latency.formatted(digits: 1)) µs and \(bandwidth.formatted(digits: 1)) GB/s apart"
    }

    /// A Markdown table, plain sampling first, and a line for each recommendation.
    public var text: String {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        var lines = [
            "\(model), \(trajectories) trajectories each; seconds a sample, predicted for P workers of \(threads) threads\(network)",
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
            let machines = choice.workers.map { "\($0) workers" } ?? "\(choice.ranks ?? 1) processes"
            lines.append("\(choice.steps) steps, churn \(choice.churn), \(machines): \(what)")
        }
        return lines.joined(separator: "\n")
    }
}
