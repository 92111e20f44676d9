import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Models
import Synchronization

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Predict what speculation would save, and recommend a draft and a window.",
        discussion: """
            Runs a few trajectories for every combination of steps, churn, draft and window, and predicts the time of \
            one sample on any number of parallel workers, each as fast as this machine with --threads: a call of r rows \
            takes what ⌈r/P⌉ rows take here. NFE and evaluations count the target's work, not a draft network's, whose \
            time is part of the prediction. With --ranks also for processes of diffspec-mpi with --parallel window, \
            where each call costs a broadcast and a gather over a network of the given latency and bandwidth. Steps and churn change what is sampled, so that each pair has a \
            recommendation of its own.

            Examples:
              diffspec plan --workers 1,8,32
              diffspec plan --ranks 4,16,64,256 --latency 1.5 --bandwidth 12
              diffspec plan --all-steps 30,100,300 --all-churn 0.25,1 --all-windows 10,20,50,adaptive --json
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(
        help: .init("Numbers of parallel workers to predict for.", valueName: "P,…"),
        transform: { try ListArgument.parse($0, positive: Int.init) })
    var workers = [1, 4, 16]

    @Option(
        help: .init("Numbers of processes of diffspec-mpi to predict for.", valueName: "R,…"),
        transform: { try ListArgument.parse($0, positive: Int.init) })
    var ranks: [Int] = []

    @Option(help: .init("Time of an empty message between processes, for --ranks.", valueName: "µs"))
    var latency: Double?

    @Option(help: .init("Bandwidth between processes, for --ranks.", valueName: "GB/s"))
    var bandwidth: Double?

    @Option(
        help: .init("Steps to compare (default: --steps).", valueName: "K,…"),
        transform: { try ListArgument.parse($0, positive: Int.init) })
    var allSteps: [Int] = []

    @Option(
        help: .init("Churns to compare (default: --churn).", valueName: "ε,…"),
        transform: { try ListArgument.parse($0, positive: Double.init) })
    var allChurn: [Double] = []

    @Option(
        help: .init("Windows to compare (default: 5,10,20,50,adaptive; with --ranks also 100).", valueName: "L,…"),
        transform: { try ListArgument.parse($0) { try WindowOption($0) } })
    var allWindows: [WindowOption] = []

    @Option(
        help: .init("Drafts to compare.", valueName: "name,…"),
        transform: { try ListArgument.parse($0, DraftOption.init(listed:)) })
    var allDrafts: [DraftOption] = [.recycled, .frozen]

    @Option(help: DraftOption.modelHelp)
    var draftModel: String?

    @Option(help: .init("Trajectories of each combination.", valueName: "N"))
    var trajectories = 2

    @Option(help: .init("Seed of the trajectories.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(help: .init("Processor cores a worker has (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print nothing but the result.")
    var quiet = false

    func validate() throws {
        guard (1...10_000).contains(trajectories) else {
            throw ValidationError("--trajectories must be from 1 to 10000, found \(trajectories).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
        let network = [latency, bandwidth].compactMap { $0 }
        guard network.count == (ranks.isEmpty ? 0 : 2), network.allSatisfy({ $0.isFinite && $0 >= 0 }), bandwidth != 0
        else {
            throw ValidationError(
                "--ranks needs --latency, a number of microseconds, and --bandwidth, a positive number of gigabytes a second; they are for nothing else."
            )
        }
        guard (ranks.max() ?? 1) <= 1_000_000 else {
            throw ValidationError("--ranks must be at most 1000000, found \(ranks.max() ?? 0).")
        }
        if allDrafts.contains(.none) {
            throw ValidationError(
                "--all-drafts none is the plain sampling that drafts are compared with; it is always there.")
        }
        guard (allSteps.max() ?? 0) <= 1_000_000 else {
            throw ValidationError("--all-steps must be at most 1000000, found \(allSteps.max() ?? 0).")
        }
    }

    func run() throws {
        let pretrained = try model.load()
        let combinations = (allSteps.isEmpty ? [model.steps] : allSteps).flatMap { steps in
            (allChurn.isEmpty ? [model.churn] : allChurn).map { (steps, $0) }
        }
        let windows: [WindowOption] =
            allWindows.isEmpty
            ? [.fixed(5), .fixed(10), .fixed(20), .fixed(50)] + (ranks.isEmpty ? [] : [.fixed(100)]) + [.adaptive]
            : allWindows
        let interconnect = Interconnect(latency: (latency ?? 0) * 1e-6, bandwidth: (bandwidth ?? 1) * 1e9)
        Interruption.watch()
        var progress = Progress(
            "planning", total: Double(combinations.count * allDrafts.count * windows.count), isQuiet: quiet)
        var cells: [Plan.Cell] = []
        var plain: [Plan.Plain] = []
        var times: CallTimes?
        for (steps, churn) in combinations {
            var model = model
            (model.steps, model.churn) = (steps, churn)
            let chain = try model.chain(over: pretrained, threads: threads)
            let callTimes = try times ?? CallTimes(of: chain, upTo: 64)
            times = callTimes
            plain.append(.init(steps: steps, churn: churn, seconds: Double(steps) * callTimes.seconds(rows: 1)))
            for draft in allDrafts {
                guard
                    let instance = try draft.draft(
                        over: chain,
                        companions: model.companions(of: pretrained, chain, named: draftModel, threads: threads))
                else { continue }
                for window in windows {
                    try MemoryNeed.check(of: pretrained, lanes: trajectories, window: window.longest(steps: steps))
                    let sampler = SpeculativeSampler(
                        chain: TimedChain(chain), draft: instance,
                        window: FallbackWindow(try window.policy(for: chain, lanes: 1)),
                        random: RandomSource(seed: seed))
                    let trial = try Trial(sampler, count: trajectories)
                    cells.append(
                        .init(
                            steps: steps, churn: churn, draft: draft.name, window: window, trial: trial,
                            seconds: workers.map { trial.seconds(workers: $0, times: callTimes) },
                            rank_seconds: ranks.map {
                                trial.seconds(
                                    ranks: $0, over: interconnect, longest: window.longest(steps: steps),
                                    times: callTimes)
                            }))
                    progress.update(done: Double(cells.count)) { _ in "\(cells.count) combinations" }
                }
            }
        }
        progress.finish()
        let plan = Plan(
            model: model.model, workers: workers, ranks: ranks, interconnect: interconnect, threads: threads,
            trajectories: trajectories, seed: seed,
            call_times: times?.points ?? [], plain: plain, cells: cells)
        print(json ? try plan.jsonText() : plan.table)
    }
}

/// A chain that measures how long its calls take.
final class TimedChain: GaussianChain {
    private let base: DenoisingChain
    private let entries = Mutex<(queries: [Int], seconds: Double)>(([], 0))

    init(_ base: DenoisingChain) { self.base = base }

    /// The queries of every call, and the seconds of all.
    var log: (queries: [Int], seconds: Double) { entries.withLock { $0 } }
    var stepCount: Int { base.stepCount }
    var dimension: Int { base.dimension }
    var rowsPerQuery: Int { base.rowsPerQuery }
    var predictionBounds: ClosedRange<Double>? { base.predictionBounds }
    func transition(at step: Int) -> GaussianTransition { base.transition(at: step) }
    func initialState(sample: Int, noise: [Double]) -> [Double] { base.initialState(sample: sample, noise: noise) }
    func priorPrediction(sample: Int) -> [Double]? { base.priorPrediction(sample: sample) }

    func predictions(for queries: [ChainQuery]) throws -> [[Double]] {
        let start = ContinuousClock.now
        let predictions = try base.predictions(for: queries)
        let seconds = (ContinuousClock.now - start).seconds
        entries.withLock {
            $0.queries.append(queries.count)
            $0.seconds += seconds
        }
        return predictions
    }
}

/// A few trajectories, one at a time, and what each of their calls asked for.
struct Trial {
    let nfe: Double
    let evaluations: Double
    let acceptance: Double
    /// Mean over decided drafts of the acceptance that their distance predicts.
    let predictedAcceptance: Double
    /// Queries of every call.
    private let calls: [Int]
    private let count: Int
    private let rowsPerQuery: Int
    private let dimension: Int
    /// What drafting and verifying takes, a draft's own network with it.
    private let overhead: Double

    init(_ sampler: SpeculativeSampler<TimedChain>, count: Int) throws {
        var (accepted, decided, predicted) = (0, 0, 0.0)
        let start = ContinuousClock.now
        try sampler.run(samples: 0..<count, lanes: 1) { info, _ in
            try Interruption.check()
            decided += info.decisions.count
            accepted += info.decisions.count { $0.isAccepted }
            predicted += info.decisions.reduce(0) { $0 + $1.acceptance }
        } onFinished: { _ in
        }
        let log = sampler.chain.log
        overhead = max(0, (ContinuousClock.now - start).seconds - log.seconds)
        calls = log.queries
        nfe = Double(calls.count) / Double(count)
        evaluations = Double(calls.reduce(0, +) * sampler.chain.rowsPerQuery) / Double(count)
        acceptance = decided > 0 ? Double(accepted) / Double(decided) : 0
        predictedAcceptance = decided > 0 ? predicted / Double(decided) : 0
        self.count = count
        (rowsPerQuery, dimension) = (sampler.chain.rowsPerQuery, sampler.chain.dimension)
    }

    /// Predicted wall-clock of one sample where each call's rows are shared out among workers.
    func seconds(workers: Int, times: CallTimes) -> Double {
        let target = calls.reduce(0) { $0 + times.seconds(rows: 1 + ($1 - 1) / workers) }
        return (target + overhead) / Double(count)
    }

    /// The same for processes that get their rows over a network, and send back what they computed.
    /// - Parameter longest: the largest window.
    func seconds(ranks: Int, over network: Interconnect, longest: Int, times: CallTimes) -> Double {
        let messages = calls.reduce(0) {
            $0
                + network.call(
                    rows: $1 * rowsPerQuery, capacity: (longest + 1) * rowsPerQuery, dimension: dimension, ranks: ranks)
        }
        return seconds(workers: ranks, times: times) + messages / Double(count)
    }
}
