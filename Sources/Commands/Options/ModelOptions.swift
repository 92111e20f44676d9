import ArgumentParser
import Models

extension NamedSchedule: ExpressibleByArgument {}
extension ChainRecipe.Kind: ExpressibleByArgument {}
extension ChainRecipe.Spacing: ExpressibleByArgument {}
extension ChainRecipe.TrainingSpacing: ExpressibleByArgument {}

/// Everything that defines the target's law.
struct ModelOptions: ParsableArguments {
    @Option(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model = BundledModels.defaultModel

    @Option(
        parsing: .unconditional,
        help: .init("Number of steps K of the chain (default: 100, or those of --times).", valueName: "K"))
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: .init("Churn ε ≥ 0: how much noise each step adds; 0 is the ODE, 1 the full reverse SDE.", valueName: "ε")
    )
    var churn = 0.25

    @Option(
        name: .customLong("class"), parsing: .unconditionalSingleValue,
        help: .init("Class, as a label or a name (repeatable; default: cycle through all).", valueName: "class"))
    var classes: [String] = []

    @Option(
        parsing: .unconditional,
        help: .init(
            "Class-free guidance δ: (1+δ) x̂0(y, c) - δ x̂0(y, ∅), both in the same call (default: 0, none). With --prompt it is 1+δ, as diffusers counts it: 1 is none (default: 7.5).",
            valueName: "δ"))
    var guidance: Double?

    @Option(
        name: .customLong("prompt"), parsing: .unconditionalSingleValue,
        help: .init(
            "What a pipeline that reads texts is to show (repeatable: sample i shows prompt i modulo their number).",
            valueName: "text"))
    var prompts: [String] = []

    @Option(
        parsing: .unconditional,
        help: .init("What guidance leads away from, in place of the empty text.", valueName: "text"))
    var negativePrompt: String?

    @Option(help: "Noise schedule in place of the model's own.")
    var schedule: NamedSchedule?

    @Option(
        help: .init(
            "Time grid of the SDE (default: uniform, or edm where the noise explodes): equal steps of time, of a root of the noise level (edm) or of its logarithm; or the published levels of Align Your Steps.",
            valueName: "spacing"))
    var spacing: ChainRecipe.Spacing?

    @Option(
        parsing: .unconditional,
        help: .init("Which root --spacing edm goes by (default: 7, or the model's own).", valueName: "ρ"))
    var rho: Double?

    @Option(
        help: .init(
            "A time grid of your own in place of --spacing and --steps: a JSON object with one descending list, {\"times\": […]} from at most 1 to 0, {\"sigmas\": […]} (noise over signal) or {\"timesteps\": […]} (of a model with betas). plan --times-out writes one.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var times: String?

    @Option(
        help:
            "The reverse SDE, discretised, or (exponential) solved exactly over each step for a denoised image that stays; or, on the steps of the model's own scheduler (which ignore churn and spacing), DDPM ancestral sampling, or DDIM, which has noise to speculate on with --eta above 0 only (else: --draft none)."
    )
    var chain = ChainRecipe.Kind.sde

    @Option(
        parsing: .unconditional,
        help: .init("Noise of --chain ddim, from 0 (none) to 1 (that of ddpm).", valueName: "η"))
    var eta = 0.0

    @OptionGroup var precision: PrecisionOption

    @Flag(help: "Make the last step of the SDE return the denoised image, without noise.")
    var denoiseLastStep = false

    func validate() throws {
        if negativePrompt != nil, prompts.isEmpty { throw ValidationError("--negative-prompt needs --prompt.") }
        try checkingUsage(exceptOfFiles: { try chainRecipe.validate() })
    }

    private var chainRecipe: ChainRecipe {
        get throws {
            var recipe = ChainRecipe(kind: chain, churn: churn)
            if let times { recipe.take(try GridRecipe(file: times)) }
            if let steps { recipe.steps = steps }
            (recipe.spacing, recipe.rho, recipe.eta) = (spacing, rho, eta)
            recipe.denoisesLastStep = denoiseLastStep
            recipe.guidance = prompts.isEmpty ? guidance ?? 0 : (guidance ?? 7.5) - 1
            return recipe
        }
    }

    /// - Throws: `ModelError` for a file of times that is none.
    func recipe(seed: UInt64, speculation: SpeculationRecipe = .init()) throws -> SamplingRecipe {
        var recipe = try SamplingRecipe(
            model: ModelRecipe(
                model, schedule: schedule, prompts: prompts.isEmpty ? nil : Prompts(prompts, negative: negativePrompt),
                precision: precision.precision.resolved),
            chain: chainRecipe, classes: classes, seed: seed)
        recipe.speculation = speculation
        return recipe
    }
}
