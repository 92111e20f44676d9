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
    public let condition: Condition

    public init(state: [Double], time: Double, condition: Condition = .none) {
        self.state = state
        self.time = time
        self.condition = condition
    }
}
