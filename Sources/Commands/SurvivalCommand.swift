import ArgumentParser
import Jobs
import Models

struct SurvivalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "survival",
        abstract: "Estimate how long a draft survives: the law of the time to rejection.",
        discussion: """
            P(τ > k), the probability that the first k drafts from a step on are all accepted, by a particle filter \
            over paths of the draft alone (DB25, Appendix D (71)), beside what is observed when as many windows are \
            verified. Their sums are the steps that a window of k drafts decides in one call.

            Examples:
              diffspec survival --draft frozen --start 40 --horizon 20
              diffspec survival --churn 1 --count 256 --out survival.png
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: DraftRecipe.help)
    var draft = DraftRecipe.frozen

    @OptionGroup var draftModel: DraftModelOption

    @Option(parsing: .unconditional, help: .init("The largest k.", valueName: "k"))
    var horizon = 20

    @Option(parsing: .unconditional, help: .init("Plain steps before the first draft.", valueName: "n"))
    var start = 0

    @Option(parsing: .unconditional, help: .init("Particles of the filter, and windows observed.", valueName: "N"))
    var count = 64

    @Option(name: .customLong("particles"), parsing: .unconditional, help: .hidden)
    var formerCount: Int?

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption

    @Option(help: .init("A picture of both laws.", valueName: "plot.png"))
    var out: String?

    @Option(name: .customLong("plot"), help: .hidden)
    var formerOut: String?

    @OptionGroup(title: "Result") var result: ResultOptions

    func validate() throws {
        try checkCount(formerCount ?? count, "count", atMost: 1_000_000)
        guard draft != .none else { throw ValidationError("--draft none drafts nothing that could be rejected.") }
    }

    func run() throws {
        Interruption.watch()
        let out = out ?? formerOut
        try result.check(pictures: [out])
        var speculation = SpeculationRecipe(draft: draft)
        speculation.draftModel = draftModel.draftModel
        let survival = try Survival.run(
            model.recipe(seed: seed.seed, speculation: speculation), horizon: horizon, start: start,
            particles: formerCount ?? count, threads: threads.threads,
            monitor: result.console)
        if let out { try survival.writePlot(to: out) }
        try result.show(survival)
    }
}
