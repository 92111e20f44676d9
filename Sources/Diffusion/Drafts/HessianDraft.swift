import Couplings

/// Recycled gradients of an energy, carried to the new path by the energy's own second derivatives:
///
///     ∇Ê(q_k) = ∇E(q_i) + H(q_i) (q_k - q_i),      i ≤ k the newest step evaluated,
///
/// where `q_k` is the position now drafted and `q_i` the one at which the target was asked. `q_k` is a function of `Z_{<k}` alone
/// (rule R1). What is left is of second order in the move: a quadratic energy's drafts are all accepted. A product with `H` may
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
        guard let (_, evaluation, _) = window.latestEvaluation else {
            let prior = chain.priorPrediction(sample: window.sample)
            return chain.mean(step: window.currentStep, state: state, prediction: prior ?? position)
        }
        let source = layout.position(of: evaluation.state)
        let move = Vector.combine(1, position, -1, source)
        let prediction = Vector.combine(1, evaluation.prediction, 1, product(source, move))
        return chain.mean(step: window.currentStep, state: state, prediction: prediction)
    }
}
