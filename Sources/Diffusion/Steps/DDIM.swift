/// DDIM sampling (Song et al. 2021, (12) and (16)), as diffusers' `DDIMScheduler` steps through it:
///
///     x_{i'} = √ᾱ' x̂0 + √(1-ᾱ'-s²) x̂1 + s Z,    s = η √((1-ᾱ')/(1-ᾱ)) √(1 - ᾱ/ᾱ').
///
/// `η = 0` adds no noise: there is nothing to couple in such a chain, and it can be sampled, but not speculated on. `η = 1`
/// is ancestral sampling with the small variance.
public enum DDIM {
    /// - Parameters:
    ///   - betas: of the model's training.
    ///   - timesteps: strictly descending, in 0 ..< `betas.trainingSteps`.
    ///   - eta: `η` in 0 … 1; above 1 a step may have more noise than its state is to have.
    public static func steps(
        betas: BetaSchedule, timesteps: [Int], eta: Double = 0
    ) throws(DiffusionError) -> [DenoisingStep] {
        try AncestralDDPM.check(descending: timesteps)
        guard (0...1).contains(eta) else {
            throw DiffusionError("eta of DDIM", expected: "a number from 0 to 1", found: "\(eta)")
        }
        return timesteps.enumerated().map { k, timestep in
            let previous = k + 1 < timesteps.count ? timesteps[k + 1] : -1
            let (product, variance) = (betas.cumulativeProduct(timestep), betas.cumulativeVariance(timestep))
            let (nextProduct, nextVariance) = (betas.cumulativeProduct(previous), betas.cumulativeVariance(previous))
            let beta = (variance - nextVariance) / nextProduct  // 1 - ᾱ/ᾱ', free of cancellation
            let added = eta * eta * (nextVariance / variance) * beta  // s²
            let noiseRatio = ((nextVariance - added) / variance).squareRoot()
            let predictionCoefficient = nextProduct.squareRoot() - noiseRatio * product.squareRoot()
            let time = betas.time(ofTimestep: timestep)
            // x' = √ᾱ' clip(x̂0) + √(1-ᾱ'-s²) x̂1, whose noise x̂1 is that of the x̂0 that was not clipped.
            return DenoisingStep(
                time: time,
                transition: GaussianTransition(
                    stateCoefficient: noiseRatio, predictionCoefficient: predictionCoefficient,
                    standardDeviation: added.squareRoot(), duration: time - betas.time(ofTimestep: previous),
                    slopeBounds: 0...(1 / product.squareRoot())),
                flow: AncestralDDPM.deterministicStep(from: timestep, to: previous, betas: betas),
                clippedShare: nextProduct.squareRoot() / predictionCoefficient)
        }
    }
}
