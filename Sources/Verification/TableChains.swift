import Diffusion

/// The kinds of chains that published tables are made with, each with a two-dimensional target whose denoiser is known in
/// closed form, and eight steps.
enum TableChains {
    static func all() throws(DiffusionError) -> [ChainCase] {
        let edm = try reverse(CosineSchedule(), .edm, churn: 0.5, denoisingLastStep: true, prior: [0.2, 0])
        return [
            try chainCase("DDPM, clipped", ancestral()),
            try chainCase("guidance", guided()),
            try chainCase("DDIM, η = 0.6", implicit()),
            try chainCase("EDM grid, denoised last", edm),
            try chainCase("exploding noise", exploding()),
            try chainCase("flow", reverse(FlowSchedule(), .uniform, churn: 0.5)),
            try chainCase("exponential", exponential()),
            try chainCase("vp-linear", reverse(LinearVarianceSchedule(), .uniform, churn: 1)),
        ]
    }

    private static func chainCase(_ name: String, _ chain: DenoisingChain) throws(DiffusionError) -> ChainCase {
        ChainCase(
            name, chain: chain, drafts: try AnalyticChains.drafts(), directions: AnalyticChains.directions,
            isForControls: false, isThinned: true)
    }

    /// Three places where the data lie, `scale` wide.
    private static func components(scale: Double) -> [GaussianMixture.Component] {
        [([1.5, 0], 0.2), ([-1, 1], 0.15), ([0, -1.2], 0.1)].map { mean, deviation in
            .init(mean: mean.map { scale * $0 }, standardDeviation: scale * deviation)
        }
    }

    /// Table 2's: ancestral sampling with `x̂0` clipped, and a last step without noise. Much of the data lies at the bounds.
    private static func ancestral() throws(DiffusionError) -> DenoisingChain {
        let betas = try BetaSchedule(family: .squaredCosine, trainingSteps: 100)
        let timesteps = try AncestralDDPM.timesteps(.trailing, steps: 8, trainingSteps: 100)
        return try DenoisingChain(
            denoiser: try GaussianMixture(components: components(scale: 0.8), schedule: betas),
            steps: try AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: .small),
            predictionBounds: -1...1)
    }

    private static func reverse(
        _ schedule: some NoiseSchedule, _ spacing: TimeGrid.Spacing, churn: Double, denoisingLastStep: Bool = false,
        prior: [Double]? = nil
    ) throws(DiffusionError) -> DenoisingChain {
        try DenoisingChain(
            denoiser: try GaussianMixture(components: components(scale: 1), schedule: schedule),
            steps: try ReverseDiffusion.steps(
                schedule: schedule, grid: try TimeGrid(spacing, steps: 8, schedule: schedule), churn: churn,
                denoisingLastStep: denoisingLastStep),
            priors: prior.map { [.none: $0] } ?? [:])
    }

    /// DDIM with some noise, which clips a part of `x̂0` only.
    private static func implicit() throws(DiffusionError) -> DenoisingChain {
        let betas = try BetaSchedule(family: .linear, trainingSteps: 100, betaEnd: 0.2)
        let timesteps = try AncestralDDPM.timesteps(.leading, steps: 8, trainingSteps: 100)
        return try DenoisingChain(
            denoiser: try GaussianMixture(components: components(scale: 0.8), schedule: betas),
            steps: try DDIM.steps(betas: betas, timesteps: timesteps, eta: 0.6), predictionBounds: -1...1)
    }

    /// Noise that is not taken back but drowns the data, on equal steps of its logarithm.
    private static func exploding() throws(DiffusionError) -> DenoisingChain {
        let schedule = try VarianceExplodingSchedule(maximalNoise: 10)
        let grid = try TimeGrid(.logarithmic, steps: 8, schedule: schedule, lowestRatio: 0.05)
        return try DenoisingChain(
            denoiser: try GaussianMixture(components: components(scale: 1), schedule: schedule),
            steps: try ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 0.5),
            startDeviation: schedule.startDeviation(at: grid.times[0]))
    }

    /// The exponential integrator, whose last step has no noise.
    private static func exponential() throws(DiffusionError) -> DenoisingChain {
        let schedule = CosineSchedule()
        return try DenoisingChain(
            denoiser: try GaussianMixture(components: components(scale: 1), schedule: schedule),
            steps: try ExponentialReverse.steps(
                schedule: schedule, grid: try TimeGrid(.uniform, steps: 8, schedule: schedule), churn: 0.5))
    }

    /// Samples take turns in what they are to show, each of two parts of the data, at guidance `δ = 1`.
    private static func guided() throws(DiffusionError) -> DenoisingChain {
        let schedule = CosineSchedule()
        let all = components(scale: 1)
        let denoiser = ConditionalMixture(
            whole: try GaussianMixture(components: all, schedule: schedule),
            parts: [
                try GaussianMixture(components: [all[0], all[1]], schedule: schedule),
                try GaussianMixture(components: [all[2]], schedule: schedule),
            ])
        return try DenoisingChain(
            denoiser: denoiser,
            steps: try ReverseDiffusion.steps(
                schedule: schedule, grid: try TimeGrid(.uniform, steps: 8, schedule: schedule), churn: 0.5),
            conditions: denoiser.parts.indices.map { .label($0) }, guidance: 1)
    }
}

/// A mixture of which a label chooses a part.
private struct ConditionalMixture: Denoiser {
    let whole: GaussianMixture
    let parts: [GaussianMixture]

    var dimension: Int { whole.dimension }

    func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        try queries.flatMap { query in
            let mixture = if case .label(let label) = query.condition { parts[label] } else { whole }
            return try mixture.denoised([query])
        }
    }
}
