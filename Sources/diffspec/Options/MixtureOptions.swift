import ArgumentParser
import Diffusion

/// A Gaussian mixture and the chain that samples it.
struct MixtureOptions: ParsableArguments {
    enum DraftName: String, CaseIterable, ExpressibleByArgument {
        case recycled
        case recycledZeroth = "recycled-zeroth"
        case frozenDenoiser = "frozen-denoiser"
        case frozen, independent, none
    }

    @Option(help: .init("Dimension of the data.", valueName: "d"))
    var dimension = 2

    @Option(help: .init("Number of components, with means uniform in [-2, 2]^d and deviations uniform in [0.1, 0.2].", valueName: "n"))
    var components = 16

    @Option(help: .init("Seed of the components.", valueName: "S"))
    var mixtureSeed: UInt64 = 0

    @Option(help: .init("Number of steps K of the chain.", valueName: "K"))
    var steps = 200

    @Option(help: .init("Churn ε ≥ 0: how much noise each step adds.", valueName: "ε"))
    var churn = 0.5

    func validate() throws {
        guard (1...1024).contains(dimension) else {
            throw ValidationError("--dimension must be from 1 to 1024, found \(dimension).")
        }
        guard (1...1024).contains(components) else {
            throw ValidationError("--components must be from 1 to 1024, found \(components).")
        }
        guard (1...1_000_000).contains(steps) else {
            throw ValidationError("--steps must be from 1 to 1000000, found \(steps).")
        }
        guard churn >= 0, churn.isFinite else {
            throw ValidationError("--churn must be a finite number of at least 0, found \(churn).")
        }
    }

    func mixture() throws -> GaussianMixture {
        try GaussianMixture(
            components: GaussianMixture.randomComponents(count: components, dimension: dimension, seed: mixtureSeed),
            schedule: CosineSchedule())
    }

    func chain(over denoiser: any Denoiser) throws -> DenoisingChain {
        let schedule = CosineSchedule()
        let grid = try TimeGrid(.uniform, steps: steps, schedule: schedule)
        return try DenoisingChain(
            denoiser: denoiser, steps: ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: churn))
    }

    /// nil for plain sampling. The independent draft is the single Gaussian of the mixture's mean and variance.
    func draft(_ name: DraftName, mixture: GaussianMixture, target: DenoisingChain) throws -> (any Draft)? {
        switch name {
        case .recycled: RecycledDraft()
        case .recycledZeroth: RecycledDraft(order: .zeroth)
        case .frozenDenoiser: FrozenDenoiserDraft()
        case .frozen: FrozenDraft()
        case .none: nil
        case .independent:
            try IndependentDraft(
                model: chain(over: GaussianMixture(components: [mixture.singleGaussian], schedule: CosineSchedule())),
                target: target)
        }
    }
}
