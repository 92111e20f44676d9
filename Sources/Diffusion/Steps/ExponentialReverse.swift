import Platform

/// The reverse SDE of a diffusion model, solved exactly over each step for an `x̂0` that stays: an exponential integrator.
///
/// With the noise ratio `ρ = σ/α` the SDE with churn `ε` is, in `z = y/α`,
/// `dz = (1 + ε²)(z - x̂0) dρ/ρ + ε √(2ρ) dW` towards smaller `ρ`. From `t` to `t'`, with `r = ρ'/ρ < 1`, that makes
///
///     Y' = α' x̂0 + (σ'/σ) r^{ε²} (y - α x̂0) + σ' √(1 - r^{2ε²}) Z.
///
/// `ε = 0` is DDIM (Song et al. 2021, (12) with σ = 0), `ε = 1` the posterior of ancestral sampling (Ho et al. 2020, (6)–(7)) and
/// the first order of DPM-Solver++'s SDE (Lu et al. 2022). Whatever `ε`, a state with the law `N(α x̂0, σ²)` gets the law
/// `N(α' x̂0, σ'²)`, however long the step: of the errors of `ReverseDiffusion` only that of the changing `x̂0` is left.
public enum ExponentialReverse {
    /// The last step, to `t = 0`, returns `x̂0` itself.
    /// - Parameters:
    ///   - schedule: how data and noise are mixed.
    ///   - grid: the times of the steps.
    ///   - churn: `ε ≥ 0`. 0 is the probability-flow ODE, 1 the time-reversed SDE.
    /// - Throws: `DiffusionError` for a churn, or a schedule, that makes a coefficient infinite.
    public static func steps(
        schedule: some NoiseSchedule, grid: TimeGrid, churn: Double
    ) throws(DiffusionError) -> [DenoisingStep] {
        try ReverseDiffusion.check(churn: churn)
        var steps: [DenoisingStep] = []
        for (time, next) in zip(grid.times, grid.times.dropFirst()) {
            let (alpha, sigma) = (schedule.signal(at: time), schedule.noise(at: time))
            let (nextAlpha, nextSigma) = (schedule.signal(at: next), schedule.noise(at: next))
            let logRatio = log(nextSigma) - log(nextAlpha) - log(sigma) + log(alpha)  // log r; -∞ at the end
            func transition(churn: Double) -> GaussianTransition {
                // r^{ε²}, where 0⁰ is 1
                let kept = churn > 0 ? exp(churn * churn * logRatio) : 1
                let variance = churn > 0 ? nextSigma * nextSigma * -expm1(2 * churn * churn * logRatio) : 0
                let stateCoefficient = nextSigma / sigma * kept
                return GaussianTransition(
                    stateCoefficient: stateCoefficient,
                    predictionCoefficient: nextAlpha - alpha * stateCoefficient,
                    standardDeviation: variance.squareRoot(), duration: time - next, slopeBounds: 0...(1 / alpha))
            }
            let step = transition(churn: churn)
            guard step.stateCoefficient.isFinite, step.predictionCoefficient.isFinite, step.standardDeviation.isFinite
            else {
                throw DiffusionError(
                    "the step from t = \(time)", expected: "α and σ above 0 and finite",
                    found: "α = \(alpha), σ = \(sigma)", remedy: "take another schedule or grid")
            }
            steps.append(DenoisingStep(time: time, transition: step, flow: transition(churn: 0)))
        }
        return steps
    }
}
