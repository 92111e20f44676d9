/// An energy `E` whose Gibbs law `exp(-E)` Langevin dynamics samples (DB25 §5): a few closures, all batched, so that one
/// evaluation serves every row of a window.
///
///     let bowl = Energy(dimension: 3, value: { x in … }, gradient: { x in … })
///     let chain = try LangevinChain(energy: bowl, stepCount: 10_000, stepSize: 1e-3)
///     let sampler = try SpeculativeSampler(chain: chain, draft: RecycledDraft(), window: 20, random: RandomSource(seed: 0))
public struct Energy: Sendable {
    /// From states, each of `dimension` values, to one number each.
    public typealias Values = @Sendable ([[Double]]) throws -> [Double]
    /// From states to vectors of the same length. Rows must not influence each other (rule R5).
    public typealias Gradients = @Sendable ([[Double]]) throws -> [[Double]]

    public let dimension: Int
    /// `E`, up to a constant.
    public let values: Values
    /// `∇E`
    public let gradients: Gradients
    /// `∇Ê` of a cheaper energy, to draft with (Algorithm 11); nil if there is none.
    public let proxyGradients: Gradients?
    /// A quadratic part that costs next to nothing; nil if there is none.
    public let quadraticPart: QuadraticPart?
    /// `H(x) v`, the Hessian at a state times a vector; of an energy with a quadratic part, that of the remainder, `∂r/∂x`. To
    /// draft with; nil if there is none.
    public let hessianProduct: HessianDraft.Product?

    /// `∇E(x) = A x + r(x)` with a linear force `A x` that is cheap, however strong, and an expensive remainder `r` that
    /// varies slowly. Drafts then freeze or recycle `r` alone. Where `γ` times the largest curvature comes near 1, as
    /// with the lattice's coupling in φ⁴, this is what makes them work: the state forgets its stiff modes within a
    /// step or two, and a frozen force would throw it off.
    public struct QuadraticPart: Sendable {
        /// `A x`, for one state.
        public let force: @Sendable ([Double]) -> [Double]
        /// `r`, batched.
        public let remainder: Gradients

        public init(force: @escaping @Sendable ([Double]) -> [Double], remainder: @escaping Gradients) {
            self.force = force
            self.remainder = remainder
        }
    }

    /// - Parameters:
    ///   - dimension: length of a state, positive.
    ///   - values: `E` of a batch of states.
    ///   - gradients: `∇E` of a batch of states.
    ///   - proxyGradients: `∇Ê` of a cheaper energy; nil for none.
    ///   - quadraticPart: a part that costs next to nothing; nil for none.
    ///   - hessianProduct: the Hessian, less that of the quadratic part, times a vector; nil for none.
    public init(
        dimension: Int, values: @escaping Values, gradients: @escaping Gradients, proxyGradients: Gradients? = nil,
        quadraticPart: QuadraticPart? = nil, hessianProduct: HessianDraft.Product? = nil
    ) {
        precondition(dimension > 0, "a state has some length")
        self.dimension = dimension
        self.values = values
        self.gradients = gradients
        self.proxyGradients = proxyGradients
        self.quadraticPart = quadraticPart
        self.hessianProduct = hessianProduct
    }

    /// An energy given for one state at a time.
    public init(
        dimension: Int, value: @escaping @Sendable ([Double]) -> Double,
        gradient: @escaping @Sendable ([Double]) -> [Double],
        proxyGradient: (@Sendable ([Double]) -> [Double])? = nil, quadraticPart: QuadraticPart? = nil,
        hessianProduct: HessianDraft.Product? = nil
    ) {
        var proxyGradients: Gradients?
        if let proxyGradient { proxyGradients = { $0.map(proxyGradient) } }
        self.init(
            dimension: dimension, values: { $0.map(value) }, gradients: { $0.map(gradient) },
            proxyGradients: proxyGradients, quadraticPart: quadraticPart, hessianProduct: hessianProduct)
    }
}

extension LangevinChain {
    /// The unadjusted Langevin chain of an energy, its quadratic part kept apart if it has one.
    /// - Throws: `DiffusionError` unless all sizes are positive and the step size finite.
    public init(
        energy: Energy, stepCount: Int, stepSize: Double,
        start: @escaping @Sendable (_ sample: Int, _ noise: [Double]) -> [Double] = { $1 }
    ) throws(DiffusionError) {
        try self.init(
            dimension: energy.dimension, stepCount: stepCount, stepSize: stepSize, start: start,
            linearForce: energy.quadraticPart?.force, gradient: energy.quadraticPart?.remainder ?? energy.gradients)
    }

    public func proxyChain(of energy: Energy) throws(DiffusionError) -> LangevinChain? {
        guard let gradient = LangevinForce.proxy(of: energy) else { return nil }
        return try LangevinChain(dimension: dimension, stepCount: stepCount, stepSize: stepSize, gradient: gradient)
    }
}
