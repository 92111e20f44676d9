import Platform

/// Algorithm 2 (DB25 §2.2), with the residual `r ∝ max(0, q - p)` sampled by rejection (§3.2): accepted as often as by
/// Algorithm 4 and exact too, but a rejected draft costs draws `X ~ q` from the target until `U' > p(X)/q(X)`.
///
/// A draw succeeds with probability `‖p - q‖_TV`, so that a rejection takes `1/‖p - q‖_TV` of them on average: the better
/// the draft, the more. Over all verified steps that is one draw a step, however good the draft. Kept for comparison.
///
/// Only the component of `X` along `Δ` enters the ratio. It alone is drawn again and again; the others are drawn once.
public struct RejectionCoupling: VerificationRule {
    /// Draws after which a rejection is repaired by Algorithm 4's reflection, which has the same law `r`: it bounds the
    /// time of a step that was rejected although the laws hardly differ.
    public let largestDrawCount = 1 << 22

    public init() {}

    public var isExact: Bool { true }

    public func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let delta = proposal.discrepancy  // Δ
        let squaredDistance = Vector.squaredNorm(delta)  // ‖Δ‖²
        let distance = squaredDistance.squareRoot()
        let projection = Vector.dot(delta, proposal.noise)  // ⟨Δ, Z⟩
        if randomness.accepts(logProbability: -(squaredDistance / 2 + projection)) {
            return Verdict(state: proposal.state, isAccepted: true, distance: distance)
        }
        guard distance.isFinite else {  // the laws have no overlap, and the residual is the target
            return Verdict(state: proposal.repaired(by: 0, along: delta), isAccepted: false, distance: distance)
        }
        // X = m^q + s V, and log p(X)/q(X) = ⟨V, Δ⟩ - ½‖Δ‖²
        let across = randomness.normals(proposal.noise.count)  // V, but for its component along Δ
        for count in 1...largestDrawCount {
            let along = randomness.normals(1)[0]  // ⟨V, e⟩
            guard log(randomness.uniform()) > along * distance - squaredDistance / 2 else { continue }
            let excess = Vector.dot(across, delta) / squaredDistance - along / distance
            let draw = Vector.combine(1, across, -excess, delta)  // V
            let state = Vector.combine(1, proposal.targetMean, proposal.standardDeviation, draw)
            return Verdict(state: state, isAccepted: false, distance: distance, extraDraws: count)
        }
        let state = proposal.repaired(by: 2 * projection / squaredDistance, along: delta)
        return Verdict(state: state, isAccepted: false, distance: distance, extraDraws: largestDrawCount)
    }
}
