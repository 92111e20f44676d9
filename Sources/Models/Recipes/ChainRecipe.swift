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
        /// DDIM sampling on the same steps, which adds as much of that noise as `eta` says.
        case ddim
    }

    public typealias Spacing = TimeGrid.Spacing
    public typealias TrainingSpacing = AncestralDDPM.Spacing

    public var kind = Kind.sde
    /// `K`, 1 … 1,000,000; of a DDPM or DDIM at most the number of its training steps.
    public var steps = 100
    /// `ε ≥ 0`, how much noise each step of either SDE chain adds: 0 is the ODE, 1 the full reverse SDE.
    public var churn = 0.25
    /// Time grid of either SDE chain; nil for what suits the model's noise: `edm` where it explodes, else `uniform`.
    public var spacing: Spacing?
    /// `ρ` of the `edm` spacing; nil for the model's own, which is 7 where its scheduler says nothing.
    public var rho: Double?
    /// A time grid in place of all spacings, see `take`.
    public private(set) var times: GridRecipe?
    /// `η` of DDIM, 0 … 1: 0 adds no noise, 1 as much as ancestral sampling.
    public var eta = 0.0
    /// Whether the last step of the SDE returns the denoised sample, without noise.
    public var denoisesLastStep = false
    /// Which training steps a DDPM or DDIM takes; nil for what its scheduler says.
    public var trainingSpacing: TrainingSpacing?
    /// `δ` of class-free guidance, see `DenoisingChain.guidance`; 0 for none.
    public var guidance = 0.0

    public init(kind: Kind = .sde, steps: Int = 100, churn: Double = 0.25) {
        (self.kind, self.steps, self.churn) = (kind, steps, churn)
    }

    /// Takes a grid, and its number of steps.
    public mutating func take(_ grid: GridRecipe) { (times, steps) = (grid, grid.stepCount) }

    /// Whether its steps add no noise, so that there is nothing to speculate on.
    public var isDeterministic: Bool { kind == .ddim && eta == 0 }

    public func validate() throws(RecipeError) {
        guard steps >= 1 else { throw RecipeError("steps", "must be at least 1, found \(steps).") }
        guard steps <= 1_000_000 else { throw RecipeError("steps", "must be at most 1000000, found \(steps).") }
        guard churn >= 0, churn.isFinite else {
            throw RecipeError("churn", "must be a finite number of at least 0, found \(churn).")
        }
        guard (0...1).contains(eta) else { throw RecipeError("eta", "must be from 0 to 1, found \(eta).") }
        if eta != 0, kind != .ddim {
            throw RecipeError("eta", "belongs to --chain ddim; --chain \(kind.rawValue) has its own noise.")
        }
        if let rho, !(rho > 0 && rho.isFinite) { throw RecipeError("rho", "must be a positive number, found \(rho).") }
        let isOnTimeGrid = kind == .sde || kind == .exponential
        if rho != nil, !isOnTimeGrid || times != nil || (spacing ?? .edm) != .edm {
            throw RecipeError("rho", "belongs to --spacing edm, without which it has no effect.")
        }
        if let times {
            guard spacing == nil, trainingSpacing == nil else {
                throw RecipeError("times", "says where the steps lie: leave the spacing away.")
            }
            guard steps == times.stepCount else {
                throw RecipeError(
                    "steps", "must be left away beside --times, whose file has \(times.stepCount), found \(steps).")
            }
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

/// The steps of a chain, and what else of its process it is made with.
public struct ChainSteps: Sendable {
    public let steps: [DenoisingStep]
    /// Where `x̂0` is clipped to; nil for nowhere.
    public let bounds: ClosedRange<Double>?
    /// Of the noise that samples start from.
    public let startDeviation: Double
}

extension NoiseProcess {
    /// The steps of the chain that a recipe describes.
    /// - Throws: `RecipeError` for what cannot be; `DiffusionError` for steps that the process does not have; `ModelError`
    ///   for a scheduler whose own chain is not offered.
    public func steps(_ recipe: ChainRecipe) throws -> ChainSteps {
        try recipe.validate()
        switch recipe.kind {
        case .sde, .exponential:
            let grid = try timeGrid(recipe)
            let steps =
                recipe.kind == .sde
                ? try ReverseDiffusion.steps(
                    schedule: schedule, grid: grid, churn: recipe.churn, denoisingLastStep: recipe.denoisesLastStep)
                : try ExponentialReverse.steps(schedule: schedule, grid: grid, churn: recipe.churn)
            return ChainSteps(steps: steps, bounds: nil, startDeviation: schedule.startDeviation(at: grid.times[0]))
        case .ddpm, .ddim:
            if let ancestralRefusal { throw ancestralRefusal }
            guard let (betas, options) = ancestral else {
                throw RecipeError(
                    "chain",
                    isOverridden
                        ? "\(recipe.kind.rawValue) takes the model's own betas; leave --schedule away."
                        : "\(recipe.kind.rawValue) needs a model with a scheduler_config.json that has betas.")
            }
            let timesteps =
                try recipe.times?.trainingSteps()
                ?? AncestralDDPM.timesteps(
                    recipe.trainingSpacing ?? options.spacing, steps: recipe.steps,
                    trainingSteps: betas.trainingSteps, offset: options.offset)
            let steps =
                recipe.kind == .ddim
                ? try DDIM.steps(betas: betas, timesteps: timesteps, eta: recipe.eta)
                : try AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: options.variance)
            return ChainSteps(steps: steps, bounds: options.bounds, startDeviation: 1)
        }
    }

    private func timeGrid(_ recipe: ChainRecipe) throws -> TimeGrid {
        if let times = recipe.times { return try times.grid(of: self) }
        let spacing = recipe.spacing ?? grid.spacing
        if recipe.rho != nil, spacing != .edm {
            throw RecipeError("rho", "belongs to --spacing edm, and this model's spacing is \(spacing.rawValue).")
        }
        return try TimeGrid(
            spacing, steps: recipe.steps, schedule: schedule,
            exponent: recipe.rho ?? grid.exponent, lowestRatio: grid.lowestRatio)
    }
}
