import Couplings

/// A Markov chain with Gaussian steps, which is all that the samplers know of their target:
///
///     Y_{k+1} = m_k(Y_k) + s_k Z_k,        m_k(y) = a_k y + b_k x̂_k(y)
///
/// Here `x̂` is the *prediction*, the one expensive thing: the denoised sample of a diffusion model, or the gradient of
/// an energy. Mean and prediction are kept apart because a draft recycles predictions: it has the chain's own
/// `a_k, b_k, s_k` and only guesses `x̂_k(y)`.
///
/// The noise may drive a part of the state alone, see ``StateLayout``: means and noises are then as long as that part, and what
/// is said here of `Y_{k+1}` is said of its driven part.
public protocol GaussianChain: Sendable {
    /// `K`
    var stepCount: Int { get }
    /// Length of a state.
    var dimension: Int { get }
    /// How many rows of a call one query costs: 2 with class-free guidance.
    var rowsPerQuery: Int { get }
    /// Which part of a state the noise drives.
    var layout: StateLayout { get }
    /// Where predictions are clipped to, as DDPM pipelines do with `x̂0`; nil for nowhere.
    var predictionBounds: ClosedRange<Double>? { get }

    /// Step `k` in 0 ..< K.
    func transition(at step: Int) -> GaussianTransition
    /// `Y_0` of a sample, from `dimension` standard normals.
    func initialState(sample: Int, noise: [Double]) -> [Double]
    /// `m_k(y)` given the prediction `x̂`: the one place where means are computed, for target and drafts alike.
    func mean(step: Int, state: [Double], prediction: [Double]) -> [Double]
    /// Where the chain's deterministic counterpart, the sampler with churn `ε = 0`, takes the state: what a draft may
    /// iterate without noise. `mean` for a chain that has no such counterpart.
    func deterministicMean(step: Int, state: [Double], prediction: [Double]) -> [Double]
    /// What the prediction for `Y_0` will be about, known without asking the target; nil if nothing is. Only a draft
    /// uses it, so that a wrong one costs calls and never exactness.
    func priorPrediction(sample: Int) -> [Double]?
    /// One call of the target: the predictions at all the queries, in their order. A query's result must not depend
    /// on what is asked beside it (rule R5).
    func predictions(for queries: [ChainQuery]) throws -> [[Double]]
}

extension GaussianChain {
    public var rowsPerQuery: Int { 1 }
    public var layout: StateLayout { .whole }
    public var predictionBounds: ClosedRange<Double>? { nil }
    public func initialState(sample: Int, noise: [Double]) -> [Double] { noise }
    public func priorPrediction(sample: Int) -> [Double]? { nil }

    /// How many values a step draws.
    public var drawnDimension: Int { layout.drawnDimension(ofState: dimension) }

    /// `m_k(y) = a_k y + b_k x̂`, with `x̂` clipped to the chain's bounds.
    public func mean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        mean(of: transition(at: step), state: state, prediction: prediction)
    }

    public func deterministicMean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        mean(step: step, state: state, prediction: prediction)
    }

    /// `a y + b x̂` of a transition, with `x̂` clipped to the chain's bounds.
    /// - Parameter share: how much of its way to the bounds `x̂` is moved.
    func mean(
        of transition: GaussianTransition, state: [Double], prediction: [Double], clippedShare share: Double = 1
    ) -> [Double] {
        let clipped =
            if let bounds = predictionBounds {
                prediction.map {
                    let clipped = min(max($0, bounds.lowerBound), bounds.upperBound)
                    return share == 1 ? clipped : $0 + share * (clipped - $0)
                }
            } else {
                prediction
            }
        return Vector.combine(
            transition.stateCoefficient, layout.driven(state), transition.predictionCoefficient, clipped)
    }
}
