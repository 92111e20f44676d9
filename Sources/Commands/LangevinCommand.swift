import ArgumentParser
import Jobs
import Models

extension EnergyRecipe.Kind: ExpressibleByArgument {}
extension LangevinRequest.Dynamics: ExpressibleByArgument {}

struct LangevinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "langevin",
        abstract: "Sample an energy by Langevin dynamics, speculatively.",
        discussion: """
            Runs independent chains X ← X - γ ∇E(X) + √(2γ) Z, or with momenta (--dynamics), and reports the energy's \
            mean and deviation over their last states, and what they cost. A call is one evaluation of ∇E on a batch; \
            with a draft the chains have the same law and take fewer of them.

            Effective samples are how many independent ones would give the mean over the last states as small an error: \
            their number over the energy's autocorrelation time. A call's share counts the calls of these states alone, \
            taken to be spread evenly over a chain's steps.

            Your own energy goes through the library: Energy(dimension:value:gradient:) and SpeculativeSampler.
            """)

    @OptionGroup(title: "Energy") var energy: EnergyOptions
    @OptionGroup(title: "Speculation") var speculation: SpeculationOptions

    @Option(
        help:
            "overdamped: of first order; aboba, obabo: second-order Langevin dynamics by the splitting of that name, whose momentum step is Gaussian."
    )
    var dynamics = LangevinRequest.Dynamics.overdamped

    @Option(
        parsing: .unconditional,
        help: .init(
            "aboba, obabo: friction γ of the momenta, which forget themselves within a time of 1/γ (default: 1).",
            valueName: "γ"))
    var friction: Double?

    @Option(
        parsing: .unconditional,
        help: .init(
            "Step size: γ if overdamped, else the time h of a step, which without memory of the momenta is an overdamped one of h²/2.",
            valueName: "γ"))
    var step = 1e-3

    @Option(parsing: .unconditional, help: .init("Number of steps K of a chain.", valueName: "K"))
    var steps = 10_000

    @Option(parsing: .unconditional, help: .init("Number of chains.", valueName: "N"))
    var count = 100

    @Option(name: .customLong("chains"), parsing: .unconditional, help: .hidden)
    var formerCount: Int?

    @Option(
        parsing: .unconditional,
        help: .init(
            "Energies are taken over this many last states of each chain (default: 500, or half of the steps where that is fewer).",
            valueName: "N"))
    var tail: Int?

    @Option(parsing: .unconditional, help: .init("Chains that share their calls; changes no result.", valueName: "N"))
    var batch = 4

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption

    @Option(help: .init("Trace plot: the energy of a few chains and its mean over all.", valueName: "trace.png"))
    var out: String?

    @OptionGroup(title: "Result") var result: ResultOptions

    private var request: LangevinRequest {
        var request = LangevinRequest()
        (request.energy, request.speculation) = (energy.recipe, speculation.recipe)
        (request.dynamics, request.friction) = (dynamics, friction)
        (request.stepSize, request.steps, request.chains) = (step, steps, formerCount ?? count)
        (request.tail, request.batch, request.seed, request.threads) = (tail, batch, seed.seed, threads.threads)
        return request
    }

    func validate() throws { try checkingUsage(request.validate) }

    func run() throws {
        Interruption.watch()
        try result.check(pictures: [out])
        let langevin = try request.run(monitor: result.console)
        if let out { try langevin.writeTrace(to: out) }
        try result.show(langevin)
    }
}

/// A built-in energy and its parameters.
struct EnergyOptions: ParsableArguments {
    @Option(
        help:
            "phi4 on a periodic lattice; a badly scaled gaussian; a mixture of Gaussians; the posterior of a logistic regression on a synthetic table."
    )
    var energy = EnergyRecipe.Kind.phi4

    @Option(parsing: .unconditional, help: .init("φ⁴: coupling of neighbours.", valueName: "β"))
    var beta = 100.0

    @Option(parsing: .unconditional, help: .init("φ⁴: sites a side.", valueName: "n"))
    var lattice = 8

    @Option(parsing: .unconditional, help: .init("gaussian, mixture: dimension.", valueName: "d"))
    var dimension = 8

    @Option(
        parsing: .unconditional,
        help: .init("gaussian: the largest precision, the smallest being 1.", valueName: "κ"))
    var condition = 100.0

    @Option(
        parsing: .unconditional,
        help: .init(
            "mixture: number of components, with means uniform in [-2, 2]^d and deviations in [0.1, 0.2].",
            valueName: "n"))
    var components = 4

    @Option(parsing: .unconditional, help: .init("mixture: seed of the components.", valueName: "S"))
    var energySeed: UInt64 = 0

    var recipe: EnergyRecipe {
        var recipe = EnergyRecipe()
        (recipe.kind, recipe.beta, recipe.lattice, recipe.dimension) = (energy, beta, lattice, dimension)
        (recipe.condition, recipe.components, recipe.seed) = (condition, components, energySeed)
        return recipe
    }
}
