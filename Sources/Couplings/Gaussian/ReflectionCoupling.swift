import Platform

/// Algorithm 4 of DB25 (De Bortoli et al. 2025, *Accelerated Diffusion Models via Speculative Sampling*, §3.3), reflection
/// maximal coupling, and with a temperature Algorithm 7 (App. F.1).
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
        let isAccepted = randomness.accepts(logProbability: -(squaredDistance / 2 + projection) / temperature)
        // Y = m^q + s (Z - 2⟨e, Z⟩ e), with e = Δ/‖Δ‖
        let state =
            isAccepted ? proposal.state : proposal.repaired(by: 2 * projection / squaredDistance, along: delta)
        let distance = squaredDistance.squareRoot()
        return Verdict(
            state: state, isAccepted: isAccepted, distance: distance, acceptance: acceptance(distance: distance))
    }

    /// The probability that Algorithm 7 accepts: `Φ(-δ/2) + exp(δ²(1-τ)/(2τ²)) Φ(δ/2 - δ/τ)`, which at `τ = 1` is
    /// `2Φ(-δ/2)`.
    /// - Parameter distance: `δ = ‖Δ‖ ≥ 0`.
    public func acceptance(distance: Double) -> Double {
        if isExact { return maximalAcceptance(distance: distance) }
        return StandardNormal.boundedExponentialMean(
            squaredScale: distance * distance / temperature, slope: distance / temperature)
    }

    /// Proposition F.1 (DB25): `E[Y] = m^q + C_τ(‖Δ‖) (m^p - m^q)`, a push from the target's mean towards the draft's
    /// for `τ > 1` and away from it for `τ < 1`. In closed form
    ///
    ///     C_τ(δ) = Φ(-δ/2) + (1 - 2/τ) exp(δ²(1-τ)/(2τ²)) Φ(δ/2 - δ/τ),
    ///
    /// which is 0 at `τ = 1` and tends to 1 as `τ → ∞`, where every draft is accepted. (The proposition prints a further
    /// factor `1/σ`, which a coefficient without units cannot have; and what its proof prints for `C_τ` is wrong beyond that: at
    /// `δ = 1`, `τ = 2` it gives 0.208, where the mean of the law (98) is 0.309.) The law itself is `TemperatureLaw`.
    /// - Parameter distance: `δ = ‖Δ‖ ≥ 0`.
    public func meanShift(distance: Double) -> Double {
        if isExact { return 0 }
        let tau = temperature
        let logFactor = distance * distance * (1 - tau) / (2 * tau * tau)
        return StandardNormal.cumulative(-distance / 2) + (1 - 2 / tau)
            * exp(logFactor + StandardNormal.logCumulative(distance / 2 - distance / tau))
    }
}
