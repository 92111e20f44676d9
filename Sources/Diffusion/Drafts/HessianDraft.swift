import Couplings

/// Recycled gradients of an energy, carried to the new path by the energy's own second derivatives:
///
///     ∇Ê(q_k) = ∇E(q_i) + H(q_i) (q_k - q_i),      i ≤ k the step evaluated nearest to it,
///
/// where `q_k` is the position now drafted and `q_i` one at which the target was asked. Both are functions of `Z_{<k}` alone (rule
/// R1). An energy knows no time, so that not the newest answer serves best but the nearest; and where a window's drafts have gone
/// astray, its answers are far from every later path and never used. What is left is of second order in the move: a quadratic energy's drafts are all accepted. A product with `H` may
/// cost as much as a gradient, but no call: the target's rows of a window are evaluated together, products one after the other.
public struct HessianDraft: RecyclingDraft {
    /// `H(q) v`, a symmetric matrix times a vector.
    public typealias Product = @Sendable (_ position: [Double], _ vector: [Double]) -> [Double]

    private let product: Product

    /// - Parameter product: of the derivative of the chain's predictions: of `∇E`, less the linear force that the chain computes
    ///   itself.
    public init(product: @escaping Product) { self.product = product }

    /// For a chain of the energy.
    /// - Parameter preconditioner: of a chain in its coordinates `X = L⁻¹ Y`, where the matrix is `Lᵀ H L`; nil for none.
    /// - Throws: `DiffusionError` for an energy whose second derivatives are not given.
    public init(energy: Energy, preconditioner: Preconditioner? = nil) throws(DiffusionError) {
        guard let product = energy.hessianProduct else {
            throw DiffusionError(
                "Hessian draft", expected: "an energy with a product of its Hessian", found: "one without",
                remedy: "give Energy a hessianProduct, or take RecycledDraft, which needs none")
        }
        guard let metric = preconditioner else {
            self.init(product: product)
            return
        }
        self.init { metric.pulledBack(product(metric.coloured($0), metric.coloured($1))) }
    }

    public func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        let (layout, state) = (chain.layout, window.currentState)
        let position = layout.position(of: state)
        guard let (evaluation, move) = nearest(to: position, in: window, layout) else {
            let prior = chain.priorPrediction(sample: window.sample)
            return chain.mean(step: window.currentStep, state: state, prediction: prior ?? position)
        }
        let change = product(layout.position(of: evaluation.state), move)
        // A curvature with which the chain itself would diverge, far out on a steep slope, must not make the drafts diverge.
        let bounds = chain.transition(at: window.currentStep).slopeBounds
        let largest = max(abs(bounds.lowerBound), abs(bounds.upperBound))
        let size = (Vector.squaredNorm(move) / Vector.squaredNorm(change)).squareRoot()
        let share = largest.isFinite && size.isFinite ? min(1, largest * size) : 1
        let prediction = Vector.combine(1, evaluation.prediction, share, change)
        return chain.mean(step: window.currentStep, state: state, prediction: prediction)
    }

    /// The evaluation at a step up to the current one whose position is nearest, and the way from there.
    private func nearest(
        to position: [Double], in window: DraftWindow, _ layout: StateLayout
    ) -> (evaluation: EvaluationMemory.Evaluation, move: [Double])? {
        var best: (evaluation: EvaluationMemory.Evaluation, move: [Double], distance: Double)?
        // Of the steps before the window only the last is still known.
        for step in max(0, window.firstStep - 1)...window.currentStep {
            guard let evaluation = window.memory.evaluation(at: step) else { continue }
            let move = Vector.combine(1, position, -1, layout.position(of: evaluation.state))
            let distance = Vector.squaredNorm(move)
            if distance < best?.distance ?? .infinity { best = (evaluation, move, distance) }
        }
        return best.map { ($0.evaluation, $0.move) }
    }
}
