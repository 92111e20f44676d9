/// `E[X_0 | X_t = x]`: what a diffusion model knows, whatever its network was trained to predict.
public protocol Denoiser: Sendable {
    /// Length of a state.
    var dimension: Int { get }
    /// The denoised sample `x̂0` for each query, by one call of the network. Rows must not influence each other (R5).
    func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]]
}

/// A noisy state to be denoised.
public struct DenoiserQuery: Sendable {
    /// `x`
    public let state: [Double]
    /// Noise time `t` in (0, 1].
    public let time: Double
    /// Class label; nil for the unconditional model.
    public let condition: Int?

    public init(state: [Double], time: Double, condition: Int?) {
        self.state = state
        self.time = time
        self.condition = condition
    }
}

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

    /// The coefficients `(c_x, c_o)` of `x̂0 = c_x x + c_o output` at a time: all four kinds are linear.
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
        }
    }
}
