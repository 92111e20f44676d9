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

    @Option(parsing: .unconditional, help: .init("Number of steps K of the chain.", valueName: "K"))
    var steps = 100

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

    @Option(help: "Time grid of the SDE.")
    var spacing = ChainRecipe.Spacing.uniform

    @Option(
        help:
            "The reverse SDE, discretised, or (exponential) solved exactly over each step for a denoised image that stays; or, on the steps of the model's own scheduler (which ignore churn and spacing), DDPM ancestral sampling, or DDIM, which has no noise to speculate on (--draft none)."
    )
    var chain = ChainRecipe.Kind.sde

    @OptionGroup var precision: PrecisionOption

    @Flag(help: "Make the last step of the SDE return the denoised image, without noise.")
    var denoiseLastStep = false

    func validate() throws {
        if negativePrompt != nil, prompts.isEmpty { throw ValidationError("--negative-prompt needs --prompt.") }
        try checkingUsage(chainRecipe.validate)
    }

    var chainRecipe: ChainRecipe {
        var recipe = ChainRecipe(kind: chain, steps: steps, churn: churn)
        recipe.spacing = spacing
        recipe.denoisesLastStep = denoiseLastStep
        recipe.guidance = prompts.isEmpty ? guidance ?? 0 : (guidance ?? 7.5) - 1
        return recipe
    }

    func recipe(seed: UInt64, speculation: SpeculationRecipe = .init()) -> SamplingRecipe {
        var recipe = SamplingRecipe(
            model: ModelRecipe(
                model, schedule: schedule, prompts: prompts.isEmpty ? nil : Prompts(prompts, negative: negativePrompt),
                precision: precision.precision.resolved),
            chain: chainRecipe, classes: classes, seed: seed)
        recipe.speculation = speculation
        return recipe
    }
}
