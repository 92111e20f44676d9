import ArgumentParser
import Jobs
import Models

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Store with a model what drafts profit from.",
        discussion: "None of it touches exactness: a bad draft costs calls, and nothing else.",
        subcommands: [CalibratePriorCommand.self, CalibrateMixtureCommand.self],
        defaultSubcommand: CalibratePriorCommand.self)
}

struct CalibratePriorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prior",
        abstract: "Store what drafts can start from, before the model has been asked at all.",
        discussion: """
            Writes prior.safetensors into the model folder: for each class the mean of what the network denoises pure \
            noise to. The recycled draft then drafts its first window from it and saves a call a sample.
            """)

    @Argument(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model: String

    @Option(parsing: .unconditional, help: .init("Draws of noise for each class.", valueName: "N"))
    var count = 64

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup(title: "Result") var result: ResultOptions

    func validate() throws { try checkCount(count, "count", atMost: 100_000) }

    func run() throws {
        Interruption.watch()
        try result.check()
        try result.show(
            PriorCalibration.run(
                model: model, count: count, seed: seed.seed, threads: threads.threads, monitor: result.console))
    }
}

struct CalibrateMixtureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mixture",
        abstract: "Learn with what weights to mix drafts, step by step.",
        discussion: """
            Samples with an even mixture, notes how far each draft is from the target at every state asked for, and \
            finds for each part of the chain the weights with the fewest rejections to be expected; then samples \
            again with these weights, and refines them. Writes draft-mixture.json into the model folder, for \
            --draft mixture:learnt.
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: .init("The drafts to mix.", valueName: "name,…"), transform: ListArgument.drafts)
    var drafts: [DraftRecipe] = [.recycled, .frozenDenoiser, .assisted]

    @OptionGroup var draftModel: DraftModelOption

    @Option(parsing: .unconditional, help: .init("Window L.", valueName: "L"))
    var window = 20

    @Option(parsing: .unconditional, help: .init("Equal parts of the chain with weights of their own.", valueName: "N"))
    var parts = 20

    @Option(parsing: .unconditional, help: .init("Samples a round.", valueName: "N"))
    var count = 16

    @Option(parsing: .unconditional, help: .init("Rounds of sampling and fitting.", valueName: "N"))
    var rounds = 2

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup(title: "Result") var result: ResultOptions

    func validate() throws {
        guard drafts.count >= 2, !drafts.contains(.none), !drafts.contains(.learntMixture) else {
            throw ValidationError(
                "--drafts takes two or more of those that --draft knows, none and mixture:learnt excepted.")
        }
        try checkCount(window, "window", atMost: 1_000_000)
        try checkCount(parts, "parts", atMost: 10_000)
        try checkCount(count, "count", atMost: 100_000)
        try checkCount(rounds, "rounds", atMost: 100)
    }

    func run() throws {
        Interruption.watch()
        try result.check()
        var speculation = SpeculationRecipe()
        speculation.draftModel = draftModel.draftModel
        try result.show(
            MixtureCalibration.run(
                model.recipe(seed: seed.seed, speculation: speculation), drafts: drafts, window: window, parts: parts,
                count: count, rounds: rounds, threads: threads.threads, monitor: result.console))
    }
}
