/// The reverse SDE of a diffusion model, discretised by Euler and Maruyama (DB25 (4), (240), (244)):
///
///     Y_{k+1} = y + γ_k b(y) + √γ_k ε g Z_k,    b(y) = -v(y) + ½ ε² g² s(y),    γ_k = t_k - t_{k+1}
///
/// with velocity `v = ∂α x̂0 + ∂σ x̂1`, score `s = -x̂1/σ` and `x̂1 = (y - α x̂0)/σ`. Written out in `y` and `x̂0` the
/// mean is affine, and these are its coefficients.
public enum ReverseDiffusion {
    /// - Parameters:
    ///   - schedule: how data and noise are mixed.
    ///   - grid: the times of the steps.
    ///   - churn: `ε ≥ 0`. 0 is the probability-flow ODE, 1 the time-reversed SDE.
    ///   - denoisingLastStep: whether the last step returns `x̂0` itself, without noise.
    /// - Throws: `DiffusionError` for a churn, or a schedule, that makes a variance negative or infinite.
    public static func steps(
        schedule: some NoiseSchedule, grid: TimeGrid, churn: Double, denoisingLastStep: Bool = false
    ) throws(DiffusionError) -> [DenoisingStep] {
        try check(churn: churn)
        var steps: [DenoisingStep] = []
        for (time, next) in zip(grid.times, grid.times.dropFirst()) {
            let (alpha, sigma) = (schedule.signal(at: time), schedule.noise(at: time))
            let (dAlpha, dSigma) = (schedule.signalDerivative(at: time), schedule.noiseDerivative(at: time))
            let squaredDiffusion = schedule.squaredDiffusion(at: time)  // g²
            let duration = time - next  // γ
            let variance = duration * churn * churn * squaredDiffusion  // s²
            guard variance >= 0, variance.isFinite else {
                throw DiffusionError(
                    "variance of the step from t = \(time)", expected: "a finite number ≥ 0",
                    found: "\(variance) with churn \(churn)", remedy: "lower the churn or take another schedule")
            }
            // b = -∂α x̂0 - c x̂1 with the noise's weight c = ∂σ + ½ ε² g²/σ
            func transition(noiseWeight: Double, variance: Double) -> GaussianTransition {
                GaussianTransition(
                    stateCoefficient: 1 - duration * noiseWeight / sigma,
                    predictionCoefficient: duration * (noiseWeight * alpha / sigma - dAlpha),
                    standardDeviation: variance.squareRoot(), duration: duration, slopeBounds: 0...(1 / alpha))
            }
            if denoisingLastStep && steps.count == grid.stepCount - 1 {
                let denoised = GaussianTransition(
                    stateCoefficient: 0, predictionCoefficient: 1, standardDeviation: 0, duration: duration,
                    slopeBounds: 0...(1 / alpha))
                steps.append(DenoisingStep(time: time, transition: denoised))
            } else {
                let churned = dSigma + churn * churn * squaredDiffusion / (2 * sigma)
                steps.append(
                    DenoisingStep(
                        time: time, transition: transition(noiseWeight: churned, variance: variance),
                        flow: transition(noiseWeight: dSigma, variance: 0)))
            }
        }
        return steps
    }

    /// - Throws: `DiffusionError` for what is no churn of either SDE chain.
    static func check(churn: Double) throws(DiffusionError) {
        guard churn >= 0, churn.isFinite else {
            throw DiffusionError("churn", expected: "a finite number ≥ 0", found: "\(churn)")
        }
    }
}
