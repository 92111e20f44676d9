import Couplings

/// Recycled: as the frozen denoiser, but step `k` takes `x̂0` from the newest evaluation at the largest step `i ≤ k`.
/// With the noise pinned (rule R2), a rejection moves the rest of the path only a little, so that what the old window
/// computed beyond it still serves.
///
/// To first order that answer is carried to the new path: `x̂0 + c_i (ỹ'_i - ỹ_i)`, where `ỹ_i` is the state it was
/// evaluated at, `ỹ'_i` the one now drafted, and `c_i` the secant slope of the two newest evaluations, averaged over
/// the steps just before and kept within what the chain allows. Beyond the last step evaluated its corrected `x̂0` stays. The
/// first window of all is drafted from the chain's prior prediction, if it has one, so that already the first call decides
/// steps.
public struct RecycledDraft: RecyclingDraft {
    public enum Order: Sendable { case zeroth, first }

    public let order: Order
    /// How many steps, `i` the last of them, the slopes are averaged over.
    private let slopeCount = 6

    public init(order: Order = .first) { self.order = order }

    public func canStart(sample: Int, chain: some GaussianChain) -> Bool {
        chain.priorPrediction(sample: sample) != nil
    }

    public func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        chain.mean(
            step: window.currentStep, state: window.currentState, prediction: prediction(in: window, chain: chain))
    }

    /// `x̂0`, what the target is expected to say of the window's current state.
    public func prediction(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        guard let (i, evaluation, pathState) = window.latestEvaluation else {
            return chain.priorPrediction(sample: window.sample) ?? chain.layout.position(of: window.currentState)
        }
        guard order == .first, let slope = slope(upTo: i, in: window, chain: chain) else {
            return evaluation.prediction
        }
        return Vector.combine(
            1, evaluation.prediction, slope, chain.layout.position(of: pathState),
            less: chain.layout.position(of: evaluation.state))
    }

    /// `c_i`; nil as long as no answer has replaced another.
    func slope(upTo step: Int, in window: DraftWindow, chain: some GaussianChain) -> Double? {
        window.memory.slope(upTo: step, count: slopeCount).map {
            let bounds = chain.transition(at: step).slopeBounds
            return min(max($0, bounds.lowerBound), bounds.upperBound)
        }
    }
}
