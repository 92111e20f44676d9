/// What a network was trained to predict, given `x = α x0 + σ x1`.
public enum PredictionKind: String, CaseIterable, Sendable {
    /// `x̂1`
    case noise = "epsilon"
    /// `x̂0`
    case sample
    /// `v = ∂α x̂0 + ∂σ x̂1`
    case velocity
    /// diffusers' `α x̂1 - σ x̂0`
    case vPrediction = "v_prediction"
    /// `∇ log p_t = -x̂1/σ`
    case score

    /// `x̂0` from a network's output for a noisy state: `c_x x + c_o output`.
    /// - Parameters:
    ///   - query: the noisy state and its time.
    ///   - output: as many values as the state has.
    ///   - schedule: how data and noise are mixed in it.
    public func denoised(_ query: DenoiserQuery, output: [Double], schedule: some NoiseSchedule) -> [Double] {
        let (ofState, ofOutput) = denoisingCoefficients(schedule, at: query.time)
        return zip(query.state, output).map { ofState * $0 + ofOutput * $1 }
    }

    /// The coefficients `(c_x, c_o)` of `x̂0 = c_x x + c_o output` at a time: all kinds are linear.
    public func denoisingCoefficients(
        _ schedule: some NoiseSchedule, at time: Double
    ) -> (state: Double, output: Double) {
        let (alpha, sigma) = (schedule.signal(at: time), schedule.noise(at: time))
        switch self {
        case .noise:
            return (1 / alpha, -sigma / alpha)
        case .sample:
            return (0, 1)
        case .velocity:
            let (dAlpha, dSigma) = (schedule.signalDerivative(at: time), schedule.noiseDerivative(at: time))
            let determinant = alpha * dSigma - sigma * dAlpha
            return (dSigma / determinant, -sigma / determinant)
        case .vPrediction:
            let norm = alpha * alpha + sigma * sigma
            return (alpha / norm, -sigma / norm)
        case .score:
            return (1 / alpha, sigma * sigma / alpha)
        }
    }
}
