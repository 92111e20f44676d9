import Platform

/// One drafted step and the target it must be made to follow: `Ỹ = m^p + s Z` was drawn from the draft
/// `N(m^p, s² I)`, the target is `N(m^q, s² I)`. Both share the standard deviation `s > 0`.
///
/// Rule R4: a rule sees the very numbers that were drawn, never a second computation of them.
public struct GaussianProposal: Sendable {
    /// `m^p`
    public let draftMean: [Double]
    /// `m^q`
    public let targetMean: [Double]
    /// `s`
    public let standardDeviation: Double
    /// `Z`
    public let noise: [Double]
    /// `Ỹ`
    public let state: [Double]

    public init(
        draftMean: [Double], targetMean: [Double], standardDeviation: Double, noise: [Double], state: [Double]
    ) {
        precondition(standardDeviation > 0, "a deterministic step has nothing to verify")
        self.draftMean = draftMean
        self.targetMean = targetMean
        self.standardDeviation = standardDeviation
        self.noise = noise
        self.state = state
    }

    /// `Δ = (m^p - m^q)/s`
    public var discrepancy: [Double] {
        Vector.combine(1 / standardDeviation, draftMean, -1 / standardDeviation, targetMean)
    }

    /// `m^q + s (Z - c d)`: the target's mean with the draft's noise, moved along a direction. Means infinitely far apart
    /// leave no direction; such a draft is rejected whatever `Z` is, which then needs no reflection.
    func repaired(by coefficient: Double, along direction: [Double]) -> [Double] {
        let isReflected = coefficient.isFinite && coefficient != 0
        let noise = isReflected ? Vector.combine(1, noise, -coefficient, direction) : noise
        return Vector.combine(1, targetMean, standardDeviation, noise)
    }
}

/// What a rule made of a proposal.
public struct Verdict: Sendable {
    /// `Y`: the proposal itself, or its repair.
    public let state: [Double]
    public let isAccepted: Bool
    /// `‖Δ‖`, the distance of the two means in standard deviations.
    public let distance: Double
    /// The probability with which the rule accepts at this `Δ`, over `Z` and `U`; over `U` alone where the rule has no
    /// closed form for it.
    public let acceptance: Double
    /// States drawn from the target in the proposal's place, beyond the one that a coupling gives at no cost.
    public let extraDraws: Int

    /// - Parameters:
    ///   - state: `Y`, the proposal itself or its repair.
    ///   - isAccepted: whether it is the proposal.
    ///   - distance: `‖Δ‖`; NaN stands for infinity.
    ///   - acceptance: nil for a maximal coupling's `2Φ(-‖Δ‖/2)`.
    ///   - extraDraws: states drawn from the target upon a rejection.
    public init(
        state: [Double], isAccepted: Bool, distance: Double, acceptance: Double? = nil, extraDraws: Int = 0
    ) {
        self.state = state
        self.isAccepted = isAccepted
        self.distance = distance.isNaN ? .infinity : distance
        let acceptance = acceptance ?? maximalAcceptance(distance: distance)
        self.acceptance = acceptance.isNaN ? 0 : acceptance
        self.extraDraws = extraDraws
    }
}

extension RandomStream {
    /// Whether `log U ≤ log a` for the stream's next uniform: certain from 0 on, and never where `a` is not a number, which
    /// a draft without a finite mean makes it.
    mutating func accepts(logProbability: Double) -> Bool { log(uniform()) <= logProbability }
}

/// Decides over a drafted step: accept it, or put another state in its place.
public protocol VerificationRule: Sendable {
    /// Whether the state that comes out has the target's law exactly.
    var isExact: Bool { get }

    /// - Parameters:
    ///   - proposal: a drafted step with `s > 0`.
    ///   - randomness: the step's own stream; the first number drawn from it is `U`.
    /// - Throws: what a network inside the rule throws; the closed rules never do.
    func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) throws -> Verdict
}

/// The probability that a maximal coupling of two Gaussians at distance `‖Δ‖` makes them meet: `2Φ(-‖Δ‖/2)`
/// (DB25 Prop. 3.1), the highest that any exact rule can reach.
/// - Parameter distance: `‖Δ‖ ≥ 0`, in standard deviations.
public func maximalAcceptance(distance: Double) -> Double {
    erfc(distance / (2 * 2.0.squareRoot()))
}
