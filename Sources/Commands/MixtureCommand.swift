import ArgumentParser
import Jobs
import Models

struct MixtureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mixture",
        abstract: "Sample a Gaussian mixture whose score has a closed form.",
        discussion: """
            The laboratory of the method: a diffusion model without a network, whose data can be drawn at will. Reports \
            NFE, acceptance and the 2-Wasserstein distance to fresh data, beside that of fresh data to fresh data.

            --figure DIR makes the published figure of NFE against churn and against window, over dimensions 2 to 32.
            """)

    @Option(
        help: .init(
            "Network trained for a mixture, in place of the exact score: a model folder or a bundled model's name. It brings its mixture. --draft-model is then a smaller network trained for the same mixture, for --draft independent.",
            valueName: "dir|name"))
    var model: String?

    @Option(parsing: .unconditional, help: .init("Dimension of the data (default: 2).", valueName: "d"))
    var dimension: Int?

    @Option(
        parsing: .unconditional,
        help: .init(
            "Number of components, with means uniform in [-2, 2]^d and deviations uniform in [0.1, 0.2] (default: 16).",
            valueName: "n"))
    var components: Int?

    @Option(parsing: .unconditional, help: .init("Seed of the components (default: 0).", valueName: "S"))
    var mixtureSeed: UInt64?

    @Option(parsing: .unconditional, help: .init("Number of steps K of the chain.", valueName: "K"))
    var steps = 200

    @Option(parsing: .unconditional, help: .init("Churn ε ≥ 0: how much noise each step adds.", valueName: "ε"))
    var churn = 0.5

    @OptionGroup(title: "Speculation") var speculation: SpeculationOptions

    @Option(parsing: .unconditional, help: .init("Number of samples.", valueName: "N"))
    var count = 2000

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption

    @Option(help: .init("Scatter plot of the first two coordinates: data and samples.", valueName: "scatter.png"))
    var out: String?

    @Option(
        help: .init("Write the mixture's components to this file, JSON, and do no more.", valueName: "mixture.json"))
    var export: String?

    @Option(
        help: .init(
            "Folder for figure3.md, figure3-churn.png and figure3-window.png; --count is the samples a point.",
            valueName: "dir"))
    var figure: String?

    @Flag(
        help:
            "With --figure: the networks mixture-D and their drafts mixture-D-draft, for the dimensions that have both, in place of exact scores."
    )
    var networks = false

    @OptionGroup(title: "Result") var result: ResultOptions

    private var request: MixtureRequest {
        var request = MixtureRequest()
        request.mixture.model = model
        if let dimension { request.mixture.dimension = dimension }
        if let components { request.mixture.components = components }
        if let mixtureSeed { request.mixture.mixtureSeed = mixtureSeed }
        (request.mixture.chain.steps, request.mixture.chain.churn) = (steps, churn)
        request.speculation = speculation.recipe
        (request.count, request.seed, request.threads) = (count, seed.seed, threads.threads)
        request.isPlotted = out != nil
        return request
    }

    func validate() throws {
        let draftModel = speculation.drafting.draftModel
        if figure != nil, out != nil || model != nil || draftModel != nil || dimension != nil {
            throw ValidationError(
                "--figure has dimensions, models and files of its own; leave --dimension, --model, --draft-model and --out away."
            )
        }
        if networks, figure == nil { throw ValidationError("--networks belongs to --figure.") }
        if draftModel != nil, speculation.drafting.draft != .independent {
            throw ValidationError(
                "--draft-model is for --draft independent, found \(speculation.drafting.draft.name).")
        }
        if model != nil, dimension != nil || components != nil || mixtureSeed != nil {
            throw ValidationError(
                "--model brings its own mixture; leave --dimension, --components and --mixture-seed away.")
        }
        try checkingUsage(request.validate)
    }

    func run() throws {
        Interruption.watch()
        try result.check(pictures: [out], tensors: [export])
        let request = request
        if let export { return try request.mixture.load().file.writeJSON(to: export) }
        if let figure {
            return try result.show(
                MixtureFigure.run(request, usesNetworks: networks, into: figure, monitor: result.console))
        }
        let mixture = try request.run(monitor: result.console)
        if let out { try mixture.writeScatter(to: out) }
        try result.show(mixture)
    }
}
