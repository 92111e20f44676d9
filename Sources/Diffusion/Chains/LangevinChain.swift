import Couplings

/// Algorithm 11 (DB25 App. K): the unadjusted Langevin chain of an energy,
///
///     X_{k+1} = X_k - γ ∇E(X_k) + √(2γ) Z_k,
///
/// a Gaussian chain whose prediction is the gradient. What is expensive is `∇E`; drafts freeze it, recycle it, or take
/// it from a cheaper energy (`IndependentDraft` over a second chain).
public struct LangevinChain: LangevinDynamics {
    public let stepCount: Int
    public let dimension: Int
    /// `γ > 0`
    public let stepSize: Double
    /// `∇E` at many states, by one evaluation of the whole batch. Rows must not influence each other (R5).
    public var gradient: @Sendable ([[Double]]) throws -> [[Double]] { force.gradient }
    /// `A y`, a part of `∇E` that is linear and costs next to nothing; `gradient` is then the rest of `∇E`.
    public var linearForce: (@Sendable ([Double]) -> [Double])? { force.linear }
    private let force: LangevinForce
    private let start: @Sendable (_ sample: Int, _ noise: [Double]) -> [Double]
    private let step: GaussianTransition

    /// - Parameters:
    ///   - dimension: length of a state, positive.
    ///   - stepCount: `K`, positive.
    ///   - stepSize: `γ`, positive and finite.
    ///   - start: `X_0` of a sample from `dimension` standard normals; by default those themselves.
    ///   - linearForce: a part `A y` of `∇E` that drafts compute exactly; nil for none.
    ///   - gradient: the rest of `∇E`, which is what the target is called for.
    /// - Throws: `DiffusionError` unless all sizes are positive and `γ` finite.
    public init(
        dimension: Int, stepCount: Int, stepSize: Double,
        start: @escaping @Sendable (_ sample: Int, _ noise: [Double]) -> [Double] = { $1 },
        linearForce: (@Sendable ([Double]) -> [Double])? = nil,
        gradient: @escaping @Sendable ([[Double]]) throws -> [[Double]]
    ) throws(DiffusionError) {
        try LangevinForce.check(dimension: dimension, stepCount: stepCount, positive: ["step size": stepSize])
        self.dimension = dimension
        self.stepCount = stepCount
        self.stepSize = stepSize
        self.start = start
        force = LangevinForce(gradient: gradient, linear: linearForce)
        // A curvature beyond 2/γ makes the chain itself diverge, so no slope of use lies there.
        step = GaussianTransition(
            stateCoefficient: 1, predictionCoefficient: -stepSize, standardDeviation: (2 * stepSize).squareRoot(),
            duration: stepSize, slopeBounds: -2 / stepSize...2 / stepSize)
    }

    public func transition(at step: Int) -> GaussianTransition { self.step }
    public func initialState(sample: Int, noise: [Double]) -> [Double] { start(sample, noise) }

    /// `y - γ (A y + x̂)`
    public func mean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        Vector.combine(1, state, -stepSize, force.whole(at: state, prediction: prediction))
    }

    public func predictions(for queries: [ChainQuery]) throws -> [[Double]] {
        try force.predictions(for: queries, layout: layout)
    }
}
