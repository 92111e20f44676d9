/// The cheap part of a step.
public struct GaussianTransition: Sendable {
    /// `a_k`
    public let stateCoefficient: Double
    /// `b_k`
    public let predictionCoefficient: Double
    /// `s_k ≥ 0`; 0 makes the step deterministic.
    public let standardDeviation: Double
    /// `γ_k`, the length of the step in time, by which a frozen drift is scaled; only ratios of durations count.
    public let duration: Double
    /// Between what values the slope `∂x̂/∂y` of the prediction can be. Drafts alone use it.
    public let slopeBounds: ClosedRange<Double>

    public init(
        stateCoefficient: Double, predictionCoefficient: Double, standardDeviation: Double, duration: Double = 1,
        slopeBounds: ClosedRange<Double> = -.infinity ... .infinity
    ) {
        self.stateCoefficient = stateCoefficient
        self.predictionCoefficient = predictionCoefficient
        self.standardDeviation = standardDeviation
        self.duration = duration
        self.slopeBounds = slopeBounds
    }
}
