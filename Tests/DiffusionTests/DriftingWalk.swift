import Diffusion

/// A random walk whose drift depends on the step alone: with a frozen draft every `Δ` is known beforehand, and nothing
/// that goes wrong is forgotten on the way.
struct DriftingWalk: GaussianChain {
    /// The drift of every step, in standard deviations.
    let drift: [Double]

    let dimension = 1
    var stepCount: Int { drift.count }
    func transition(at step: Int) -> GaussianTransition {
        .init(stateCoefficient: 1, predictionCoefficient: 1, standardDeviation: 1, duration: 1, slopeBounds: 0...0)
    }
    func predictions(for queries: [ChainQuery]) -> [[Double]] { queries.map { [drift[$0.step]] } }
}
