import ArgumentParser
import Jobs
import Models

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Measure calls over a grid of churn, temperature, draft, window and steps.",
        discussion: """
            Samples every combination and prints a Markdown table of calls (NFE), evaluations and acceptance, with \
            standard errors. The same samples in every cell: seed and count are shared. The picture shows NFE against \
            the option with the most values. A sweep that was stopped or killed goes on with --resume and the same --csv.

            Examples:
              diffspec sweep --csv table1.csv --out table1.png             # the shape of the paper's Table 1
              diffspec sweep --all-temperatures 1 --all-churn 0.25 --all-windows 2,5,10,20,40,80 --out windows.png
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(
        help: .init("Churns (default: --churn if it is given, or else 0.1,0.25,0.5,1).", valueName: "ε,…"),
        transform: { try ListArgument.parse($0, positive: Double.init) })
    var allChurn: [Double] = []

    @Option(
        help: .init("Temperatures; only 1 is exact.", valueName: "τ,…"),
        transform: { try ListArgument.parse($0, positive: Double.init) })
    var allTemperatures = [0.5, 1, 2]

    @Option(help: .init("Drafts.", valueName: "name,…"), transform: ListArgument.drafts)
    var allDrafts: [DraftRecipe] = [.frozen, .independent, .recycled]

    @Option(help: .init("Windows.", valueName: "L,…"), transform: ListArgument.windows)
    var allWindows: [WindowRecipe] = [.fixed(20)]

    @Option(
        help: .init("Steps (default: --steps).", valueName: "K,…"),
        transform: { try ListArgument.parse($0, positive: Int.init) })
    var allSteps: [Int] = []

    @OptionGroup var draftModel: DraftModelOption
    @OptionGroup var fallback: FallbackOption

    @Option(parsing: .unconditional, help: .init("Samples a cell.", valueName: "N"))
    var count = 16

    @OptionGroup var seed: SeedOption
    @OptionGroup var batch: BatchOption
    @OptionGroup var threads: ThreadsOption

    @Option(help: .init("The table as CSV, which grows cell by cell.", valueName: "file"))
    var csv: String?

    @Flag(help: "Go on with the table of --csv, if one was begun there.")
    var resume = false

    @Option(help: .init("A picture of it.", valueName: "file.png"))
    var out: String?

    @Option(name: .customLong("plot"), help: .hidden)
    var formerOut: String?

    @OptionGroup(title: "Result") var result: ResultOptions

    func validate() throws {
        try checkCount(count, "count", atMost: 1_000_000)
        guard (allSteps.max() ?? 0) <= 1_000_000 else {
            throw ValidationError("--all-steps must be at most 1000000, found \(allSteps.max() ?? 0).")
        }
        guard !resume || csv != nil else { throw ValidationError("--resume needs --csv, the table to go on with.") }
        guard !allDrafts.contains(.none) else {
            throw ValidationError("--all-drafts none needs no sweep: it takes as many calls as steps.")
        }
    }

    private var request: SweepRequest {
        get throws {
            var speculation = SpeculationRecipe()
            (speculation.draftModel, speculation.fallsBack) = (draftModel.draftModel, fallback.fallsBack)
            var request = try SweepRequest(model.recipe(seed: seed.seed, speculation: speculation))
            if !allSteps.isEmpty { request.steps = allSteps }
            if !allChurn.isEmpty {
                request.churns = allChurn
            } else if model.churn != ChainRecipe().churn {
                request.churns = [model.churn]
            }
            (request.temperatures, request.drafts, request.windows) = (allTemperatures, allDrafts, allWindows)
            (request.count, request.batch, request.threads) = (count, batch.batch, threads.threads)
            (request.table, request.resumes) = (csv, resume)
            return request
        }
    }

    func run() throws {
        Interruption.watch()
        let out = out ?? formerOut
        try result.check(tables: [csv], pictures: [out])
        let sweep = try request.run(monitor: result.console)
        if let out { try sweep.writePlot(to: out) }
        try result.show(sweep)
    }
}
