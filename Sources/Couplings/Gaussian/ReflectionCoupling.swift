import Foundation

/// Algorithm 4 (DB25 §3.3), reflection maximal coupling, and with a temperature Algorithm 7 (DB25 App. F.1).
///
/// Accepts with probability `min(1, N(Z + Δ; 0, τI)/N(Z; 0, τI))`; a rejected draft is reflected at the hyperplane
/// half-way between the two means, so that its repair costs no further target evaluation. At `τ = 1` the result has
/// the target's law and the rejection rate `2Φ(‖Δ‖/2) - 1` is the least possible (Prop. 3.1).
public struct ReflectionCoupling: VerificationRule {
    /// `τ > 0`. Above 1 more drafts are accepted, and the law is no longer the target's.
    public let temperature: Double

    public init(temperature: Double = 1) {
        precondition(temperature > 0 && temperature.isFinite, "a temperature is positive")
        self.temperature = temperature
    }

    public var isExact: Bool { temperature == 1 }

    public func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let delta = proposal.discrepancy  // Δ
        let squaredDistance = Vector.squaredNorm(delta)  // ‖Δ‖²
        let projection = Vector.dot(delta, proposal.noise)  // ⟨Δ, Z⟩
        let logAcceptance = min(0, -(squaredDistance / 2 + projection) / temperature)

        if log(randomness.uniform()) <= logAcceptance {
            return Verdict(state: proposal.state, isAccepted: true, distance: squaredDistance.squareRoot())
        }
        // Y = m^q + s (Z - 2⟨e, Z⟩ e), with e = Δ/‖Δ‖
        let reflected = Vector.combine(1, proposal.noise, -2 * projection / squaredDistance, delta)
        let state = Vector.combine(1, proposal.targetMean, proposal.standardDeviation, reflected)
        return Verdict(state: state, isAccepted: false, distance: squaredDistance.squareRoot())
    }
}
