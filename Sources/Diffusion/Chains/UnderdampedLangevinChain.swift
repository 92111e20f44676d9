import Couplings
import Platform

/// Second-order (underdamped, kinetic) Langevin dynamics of an energy: positions `q` with momenta `p` of unit mass,
///
///     dq = p dt,      dp = -∇E(q) dt - γ p dt + √(2γ) dW,      with the law exp(-E(q) - ‖p‖²/2),
///
/// split into steps of length `h` that can be taken exactly (Bou-Rabee & Owhadi 2010; Leimkuhler & Matthews 2013),
///
///     A: q += h p,      B: p -= h ∇E(q),      O: p = c p + √(1 - c²) Z,      c = exp(-γh),
///
/// of which the schemes OBABO = O½ B½ A B½ O½ and ABOBA = A½ B½ O B½ A½ are made.
///
/// ## Both are one chain
/// Where two steps meet, two half-steps merge: O½ O½ is an O in law, A½ A½ an A. Either scheme then repeats O, B½, A, B½ for
/// ever, and with the two B½ on either side of the O merged into it, a step has one gradient and one Gaussian of the momenta's
/// dimension:
///
///     P_{k+1} = c P_k - (1 + c) (h/2) ∇E(Q_k) + √(1 - c²) Z_k,      Q_{k+1} = Q_k + h P_{k+1}.
///
/// `P` is the momentum that moves the position: OBABO's between its two B½, ABOBA's at the ends of its steps. So this is a Gaussian
/// chain whose noise drives the momenta, and what follows is deterministic. The schemes differ in two ways:
///
/// - *Where it is read.* `Q_k` is OBABO's position after `k` steps. ABOBA's lies half an A before, `Q_k - (h/2) P_k`
///   (``observedPosition(of:)``), `Q_k` being where its next step has the gradient.
/// - *How it starts* from `(q_0, p_0)`. ABOBA begins with A½: `Q_0 = q_0 + (h/2) p_0`, `P_0 = p_0`. OBABO begins with half an O and
///   half a B only, `Q_0 = q_0`, `P_1 = √c p_0 - (h/2) ∇E(q_0) + √(1 - c) Z_0`: its first step has coefficients of its own.
///
/// With either the chain has the scheme's law from the first step on.
///
/// For a quadratic energy of curvature `λ`, at any friction, `Q` has the variance `1/(λ (1 - h²λ/4))`, and ABOBA's positions the
/// right one, `1/λ`.
public struct UnderdampedLangevinChain: LangevinDynamics {
    /// How the half-steps follow each other.
    public enum Scheme: String, CaseIterable, Codable, Sendable {
        case aboba, obabo
    }

    public let scheme: Scheme
    public let stepCount: Int
    /// How many positions there are, and momenta.
    public let positionDimension: Int
    /// `h > 0`
    public let stepSize: Double
    /// `γ > 0`
    public let friction: Double
    private let force: LangevinForce
    private let start: @Sendable (_ sample: Int, _ noise: [Double]) -> [Double]
    /// Every step's, and the first's.
    private let step: GaussianTransition
    private let firstStep: GaussianTransition

    /// - Parameters:
    ///   - scheme: how the half-steps follow each other.
    ///   - dimension: how many positions there are, positive.
    ///   - stepCount: `K`, positive.
    ///   - stepSize: `h`, positive and finite; the chain diverges where `h²` times the largest curvature exceeds 4.
    ///   - friction: `γ`, positive and finite.
    ///   - start: `q_0` of a sample from as many standard normals; by default those themselves. `p_0` is standard normal.
    ///   - linearForce: a part `A q` of `∇E` that drafts compute exactly; nil for none.
    ///   - gradient: the rest of `∇E` at many positions, which is what the target is called for. Rows must not influence each
    ///     other (R5).
    /// - Throws: `DiffusionError` unless all sizes are positive, and `h` and `γ` finite.
    public init(
        _ scheme: Scheme, dimension: Int, stepCount: Int, stepSize: Double, friction: Double,
        start: @escaping @Sendable (_ sample: Int, _ noise: [Double]) -> [Double] = { $1 },
        linearForce: (@Sendable ([Double]) -> [Double])? = nil,
        gradient: @escaping @Sendable ([[Double]]) throws -> [[Double]]
    ) throws(DiffusionError) {
        try LangevinForce.check(
            dimension: dimension, stepCount: stepCount, positive: ["step size": stepSize, "friction": friction])
        self.scheme = scheme
        positionDimension = dimension
        (self.stepCount, self.stepSize, self.friction, self.start) = (stepCount, stepSize, friction, start)
        force = LangevinForce(gradient: gradient, linear: linearForce)

        /// `P' = e^{-u} P - κ (h/2) ∇E(Q) + √(1 - e^{-2u}) Z`, with `u = γ` times the time of the O and `κ` the number of B½.
        func transition(decay: Double, kicks: Double) -> GaussianTransition {
            // A curvature beyond 4/h² makes the chain itself diverge, so no slope of use lies there.
            let bound = 4 / (stepSize * stepSize)
            return GaussianTransition(
                stateCoefficient: exp(-decay), predictionCoefficient: -kicks * stepSize / 2,
                standardDeviation: (-expm1(-2 * decay)).squareRoot(), duration: stepSize, slopeBounds: -bound...bound)
        }
        let decay = friction * stepSize
        step = transition(decay: decay, kicks: 1 + exp(-decay))
        firstStep = scheme == .obabo ? transition(decay: decay / 2, kicks: 1) : step
    }

    /// The chain of an energy, its quadratic part kept apart if it has one.
    /// - Throws: `DiffusionError` unless all sizes are positive, and step size and friction finite.
    public init(
        _ scheme: Scheme, energy: Energy, stepCount: Int, stepSize: Double, friction: Double,
        start: @escaping @Sendable (_ sample: Int, _ noise: [Double]) -> [Double] = { $1 }
    ) throws(DiffusionError) {
        try self.init(
            scheme, dimension: energy.dimension, stepCount: stepCount, stepSize: stepSize, friction: friction,
            start: start, linearForce: energy.quadraticPart?.force,
            gradient: energy.quadraticPart?.remainder ?? energy.gradients)
    }

    /// Positions and momenta.
    public var dimension: Int { 2 * positionDimension }
    public var layout: StateLayout { .positionAndMomentum(stepSize: stepSize) }
    public func transition(at step: Int) -> GaussianTransition { step == 0 ? firstStep : self.step }

    /// - Parameter noise: for the positions first, then for the momenta.
    public func initialState(sample: Int, noise: [Double]) -> [Double] {
        let (position, momentum) = (start(sample, layout.position(of: noise)), layout.driven(noise))
        switch scheme {
        case .aboba: return Vector.combine(1, position, stepSize / 2, momentum) + momentum
        case .obabo: return position + momentum
        }
    }

    /// `c p - (1 + c) (h/2) (A q + x̂)`, the momentum's mean.
    public func mean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        let transition = transition(at: step)
        let gradient = force.whole(at: layout.position(of: state), prediction: prediction)
        return Vector.combine(
            transition.stateCoefficient, layout.driven(state), transition.predictionCoefficient, gradient)
    }

    public func predictions(for queries: [ChainQuery]) throws -> [[Double]] {
        try force.predictions(for: queries, layout: layout)
    }

    /// The scheme's position at the end of its step: `Q` for OBABO, `Q - (h/2) P` for ABOBA.
    public func observedPosition(of state: [Double]) -> [Double] {
        switch scheme {
        case .aboba: Vector.combine(1, layout.position(of: state), -stepSize / 2, layout.driven(state))
        case .obabo: layout.position(of: state)
        }
    }

    public func proxyChain(of energy: Energy) throws(DiffusionError) -> UnderdampedLangevinChain? {
        guard let gradient = LangevinForce.proxy(of: energy) else { return nil }
        return try UnderdampedLangevinChain(
            scheme, dimension: positionDimension, stepCount: stepCount, stepSize: stepSize, friction: friction,
            gradient: gradient)
    }
}
