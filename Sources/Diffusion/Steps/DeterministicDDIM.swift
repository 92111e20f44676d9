/// DDIM sampling without noise (Song et al. 2021, (12) with σ = 0), as diffusers' `DDIMScheduler` steps through it. There
/// is nothing to couple in such a chain: it can be sampled, but not speculated on.
public enum DeterministicDDIM {
    /// - Parameters:
    ///   - betas: of the model's training.
    ///   - timesteps: strictly descending, in 0 ..< `betas.trainingSteps`.
    public static func steps(
        betas: BetaSchedule, timesteps: [Int]
    ) throws(DiffusionError) -> [DenoisingStep] {
        try AncestralDDPM.check(descending: timesteps)
        return timesteps.enumerated().map { k, timestep in
            let previous = k + 1 < timesteps.count ? timesteps[k + 1] : -1
            let transition = AncestralDDPM.deterministicStep(from: timestep, to: previous, betas: betas)
            // x' = √ᾱ' clip(x̂0) + √(1-ᾱ') x̂1, whose noise x̂1 is that of the x̂0 that was not clipped.
            let share = betas.cumulativeProduct(previous).squareRoot() / transition.predictionCoefficient
            return DenoisingStep(
                time: betas.time(ofTimestep: timestep), transition: transition, clippedShare: share)
        }
    }
}
