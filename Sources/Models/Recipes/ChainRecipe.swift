import Diffusion

/// Which chain a diffusion model is run as: together with the model it defines the target's law.
public struct ChainRecipe: Codable, Equatable, Sendable {
    public enum Kind: String, CaseIterable, Codable, Sendable {
        /// The discretised reverse SDE.
        case sde
        /// The reverse SDE, solved exactly over each step for an `x̂0` that stays.
        case exponential
        /// DDPM ancestral sampling by the model's own scheduler.
        case ddpm
        /// DDIM sampling on the same steps, which adds no noise.
        case ddim
    }

    public typealias Spacing = TimeGrid.Spacing
    public typealias TrainingSpacing = AncestralDDPM.Spacing

    public var kind = Kind.sde
    /// `K`, 1 … 1,000,000; of a DDPM or DDIM at most the number of its training steps.
    public var steps = 100
    /// `ε ≥ 0`, how much noise each step of either SDE chain adds: 0 is the ODE, 1 the full reverse SDE.
    public var churn = 0.25
    /// Time grid of either SDE chain.
    public var spacing = Spacing.uniform
    /// Whether the last step of the SDE returns the denoised sample, without noise.
    public var denoisesLastStep = false
    /// Which training steps a DDPM or DDIM takes; nil for what its scheduler says.
    public var trainingSpacing: TrainingSpacing?
    /// `δ` of class-free guidance, see `DenoisingChain.guidance`; 0 for none.
    public var guidance = 0.0

    public init(kind: Kind = .sde, steps: Int = 100, churn: Double = 0.25) {
        (self.kind, self.steps, self.churn) = (kind, steps, churn)
    }

    public func validate() throws(RecipeError) {
        guard steps >= 1 else { throw RecipeError("steps", "must be at least 1, found \(steps).") }
        guard steps <= 1_000_000 else { throw RecipeError("steps", "must be at most 1000000, found \(steps).") }
        guard churn >= 0, churn.isFinite else {
            throw RecipeError("churn", "must be a finite number of at least 0, found \(churn).")
        }
        guard guidance.isFinite else { throw RecipeError("guidance", "must be a finite number, found \(guidance).") }
        if denoisesLastStep, kind != .sde {
            throw RecipeError(
                "denoise-last-step",
                "belongs to --chain sde; the last step of --chain \(kind.rawValue) has no noise anyway.")
        }
    }
}

extension TimeGrid.Spacing: Codable {}
extension AncestralDDPM.Spacing: Codable {}

extension NoiseProcess {
    /// The steps of the chain that a recipe describes, and where `x̂0` is clipped to.
    /// - Throws: `RecipeError` for what cannot be; `DiffusionError` for steps that the process does not have; `ModelError`
    ///   for a scheduler whose own chain is not offered.
    public func steps(_ recipe: ChainRecipe) throws -> (steps: [DenoisingStep], bounds: ClosedRange<Double>?) {
        try recipe.validate()
        switch recipe.kind {
        case .sde:
            let grid = try TimeGrid(recipe.spacing, steps: recipe.steps, schedule: schedule)
            let steps = try ReverseDiffusion.steps(
                schedule: schedule, grid: grid, churn: recipe.churn, denoisingLastStep: recipe.denoisesLastStep)
            return (steps, nil)
        case .exponential:
            let grid = try TimeGrid(recipe.spacing, steps: recipe.steps, schedule: schedule)
            return (try ExponentialReverse.steps(schedule: schedule, grid: grid, churn: recipe.churn), nil)
        case .ddpm, .ddim:
            if let ancestralRefusal { throw ancestralRefusal }
            guard let (betas, options) = ancestral else {
                throw RecipeError(
                    "chain",
                    isOverridden
                        ? "\(recipe.kind.rawValue) takes the model's own betas; leave --schedule away."
                        : "\(recipe.kind.rawValue) needs a model with a scheduler_config.json that has betas.")
            }
            let timesteps = try AncestralDDPM.timesteps(
                recipe.trainingSpacing ?? options.spacing, steps: recipe.steps, trainingSteps: betas.trainingSteps,
                offset: options.offset)
            let steps =
                recipe.kind == .ddim
                ? try DeterministicDDIM.steps(betas: betas, timesteps: timesteps)
                : try AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: options.variance)
            return (steps, options.bounds)
        }
    }
}
