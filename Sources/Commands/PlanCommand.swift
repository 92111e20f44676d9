import ArgumentParser
import Jobs
import Models

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
        help: .init(
            "Windows to compare (default: 5,10,20,50,adaptive,auto; with --ranks also 100).", valueName: "L,…"),
        transform: ListArgument.windows)
    var allWindows: [WindowRecipe] = []

    @Option(help: .init("Drafts to compare.", valueName: "name,…"), transform: ListArgument.drafts)
    var allDrafts: [DraftRecipe] = [.recycled, .frozen]

    @OptionGroup var draftModel: DraftModelOption
    @OptionGroup var fallback: FallbackOption

    @Option(help: .init("Trajectories of each combination.", valueName: "N"))
    var count = 2

    @Option(name: .customLong("trajectories"), help: .hidden)
    var formerCount: Int?

    @Option(
        help: .init(
            "Find a time grid on which drafts are rejected equally often at every step, for the first of --all-steps, --all-churn and --all-drafts, and write it for --times; what it does to the calls is printed. It is another chain: look at its samples.",
            valueName: "times.json"))
    var timesOut: String?

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup(title: "Result") var result: ResultOptions

    func validate() throws {
        try checkCount(formerCount ?? count, "count", atMost: 10_000)
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

    private var request: PlanRequest {
        get throws {
            var speculation = SpeculationRecipe()
            (speculation.draftModel, speculation.fallsBack) = (draftModel.draftModel, fallback.fallsBack)
            var request = try PlanRequest(model.recipe(seed: seed.seed, speculation: speculation))
            if !allSteps.isEmpty { request.steps = allSteps }
            if !allChurn.isEmpty { request.churns = allChurn }
            if !allWindows.isEmpty {
                request.windows = allWindows
            } else if !ranks.isEmpty {
                request.windows.insert(.fixed(100), at: 4)
            }
            (request.drafts, request.workers, request.ranks) = (allDrafts, workers, ranks)
            request.interconnect = Interconnect(latency: (latency ?? 0) * 1e-6, bandwidth: (bandwidth ?? 1) * 1e9)
            request.balances = timesOut != nil
            (request.trajectories, request.threads) = (formerCount ?? count, threads.threads)
            return request
        }
    }

    func run() throws {
        Interruption.watch()
        try result.check(tables: [timesOut])
        let plan = try request.run(monitor: result.console)
        if let timesOut { try plan.writeTimes(to: timesOut) }
        try result.show(plan)
    }
}
