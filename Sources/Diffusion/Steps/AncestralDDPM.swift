/// DDPM ancestral sampling (Ho et al. 2020, (6)–(7)), as diffusers' `DDPMScheduler` steps through it: each step draws
/// from the posterior `q(x_{i'} | x_i, x̂0)`, whose variance is fixed.
public enum AncestralDDPM {
    /// The fixed variances of diffusers' `variance_type`.
    public enum Variance: String, CaseIterable, Sendable {
        /// The posterior's own.
        case small = "fixed_small"
        /// `β`
        case large = "fixed_large"
    }

    /// Which of the training timesteps are taken, diffusers' `timestep_spacing` (Lin et al. 2023, Table 2).
    public enum Spacing: String, CaseIterable, Sendable {
        case leading, trailing, linspace
    }

    /// The timesteps of a run of `steps`, descending.
    /// - Throws: `DiffusionError` unless `1 ≤ steps ≤ trainingSteps` and all timesteps lie in 0 ..< trainingSteps.
    public static func timesteps(
        _ spacing: Spacing, steps: Int, trainingSteps: Int, offset: Int = 0
    ) throws(DiffusionError) -> [Int] {
        guard (1...trainingSteps).contains(steps) else {
            throw DiffusionError(
                "steps", expected: "a number from 1 to the model's \(trainingSteps) training steps", found: "\(steps)")
        }
        guard (0..<trainingSteps).contains(offset) else {
            throw DiffusionError(
                "steps_offset", expected: "a number from 0 to \(trainingSteps - 1)", found: "\(offset)")
        }
        let (count, total) = (Double(steps), Double(trainingSteps))
        let timesteps =
            switch spacing {
            case .leading: (0..<steps).map { (steps - 1 - $0) * (trainingSteps / steps) + offset }
            case .trailing:
                // numpy.arange(T, 0, -T/steps) adds multiples of the difference of its first two numbers, as rounded;
                // at ties no other order of the operations rounds to the same timesteps.
                (0..<steps).map {
                    let difference = (total - total / count) - total
                    return Int((total + Double($0) * difference).rounded(.toNearestOrEven)) - 1
                }
            case .linspace:
                // numpy.linspace(0, T - 1, steps) adds multiples of the rounded step, and takes the end as it is given.
                (0..<steps).map {
                    let step = (total - 1) / max(1, count - 1)
                    return $0 == 0 && steps > 1
                        ? trainingSteps - 1 : Int((Double(steps - 1 - $0) * step).rounded(.toNearestOrEven))
                }
            }
        guard let first = timesteps.first, first < trainingSteps, timesteps.allSatisfy({ $0 >= 0 }) else {
            throw DiffusionError(
                "steps_offset", expected: "timesteps inside 0 ..< \(trainingSteps)",
                found: "\(timesteps.first ?? 0) … \(timesteps.last ?? 0)")
        }
        return timesteps
    }

    /// The step without noise (DDIM, Song et al. 2021, (12) with σ = 0): `x_{i'} = √ᾱ' x̂0 + √(1-ᾱ') x̂1`.
    static func deterministicStep(
        from timestep: Int, to previous: Int, betas: BetaSchedule
    ) -> GaussianTransition {
        let noiseRatio = (betas.cumulativeVariance(previous) / betas.cumulativeVariance(timestep)).squareRoot()
        let (signal, nextSignal) = (
            betas.cumulativeProduct(timestep).squareRoot(), betas.cumulativeProduct(previous).squareRoot()
        )
        return GaussianTransition(
            stateCoefficient: noiseRatio, predictionCoefficient: nextSignal - noiseRatio * signal,
            standardDeviation: 0, duration: betas.time(ofTimestep: timestep) - betas.time(ofTimestep: previous))
    }

    static func check(descending timesteps: [Int]) throws(DiffusionError) {
        for (timestep, next) in zip(timesteps, timesteps.dropFirst()) where timestep <= next {
            throw DiffusionError(
                "timesteps", expected: "a strictly descending sequence", found: "\(timestep) before \(next)")
        }
    }

    /// - Parameters:
    ///   - betas: of the model's training.
    ///   - timesteps: strictly descending, in 0 ..< `betas.trainingSteps`.
    ///   - kind: which of the fixed variances.
    public static func steps(
        betas: BetaSchedule, timesteps: [Int], variance kind: Variance
    ) throws(DiffusionError) -> [DenoisingStep] {
        try check(descending: timesteps)
        return timesteps.enumerated().map { k, timestep in
            let previous = k + 1 < timesteps.count ? timesteps[k + 1] : -1
            let (product, previousProduct) = (betas.cumulativeProduct(timestep), betas.cumulativeProduct(previous))
            let (variance, previousVariance) = (betas.cumulativeVariance(timestep), betas.cumulativeVariance(previous))
            let alpha = product / previousProduct  // α = ᾱ_i/ᾱ_i'
            let beta = (variance - previousVariance) / previousProduct  // 1 - α, free of cancellation
            let stepVariance =
                switch kind {
                case _ where timestep == 0: 0.0
                case .small: previousVariance / variance * beta
                case .large: beta
                }
            let time = betas.time(ofTimestep: timestep)
            return DenoisingStep(
                time: time,
                transition: GaussianTransition(
                    stateCoefficient: alpha.squareRoot() * previousVariance / variance,
                    predictionCoefficient: previousProduct.squareRoot() * beta / variance,
                    standardDeviation: stepVariance.squareRoot(),
                    duration: time - betas.time(ofTimestep: previous),
                    slopeBounds: 0...(1 / product.squareRoot())),
                flow: deterministicStep(from: timestep, to: previous, betas: betas))
        }
    }
}
