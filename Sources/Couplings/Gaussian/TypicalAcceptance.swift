import Platform

/// Typical acceptance (DB25 (148), App. F.2, after Cai et al. 2024): a draft is accepted for being likely under the
/// target, whatever drafted it,
///
///     a(x) = min(1, max(q(x)/κ, q(x) exp(H(q))/δ)),      H(q) = (d/2)(1 + log 2π + 2 log s),
///
/// with `H` the entropy of `q = N(m^q, s² I)` ((149) misprints its last term). Everything is computed in logs, where the
/// second ratio becomes `(d - ‖Z + Δ‖²)/2 - log δ`: the squared distance from the target's mean against its expectation
/// `d`, which has deviation `√(2d)`. So `log δ = -c √(d/2)` accepts what lies up to `c` deviations too far out, and
/// `κ = ∞` leaves this test alone. A rejected draft is repaired by Algorithm 4's reflection. Not exact.
public struct TypicalAcceptance: VerificationRule {
    /// `κ > 0`, a density; infinite for none.
    public let densityThreshold: Double
    /// `δ > 0`, relative to the typical density `exp(-H)`.
    public let entropyThreshold: Double

    public init(densityThreshold: Double, entropyThreshold: Double) {
        precondition(densityThreshold > 0 && entropyThreshold > 0, "thresholds are positive")
        self.densityThreshold = densityThreshold
        self.entropyThreshold = entropyThreshold
    }

    public var isExact: Bool { false }

    public func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let delta = proposal.discrepancy  // Δ
        let squaredDistance = Vector.squaredNorm(delta)  // ‖Δ‖²
        let projection = Vector.dot(delta, proposal.noise)  // ⟨Δ, Z⟩
        let dimension = Double(delta.count)
        let spread = Vector.squaredNorm(proposal.noise) + 2 * projection + squaredDistance  // ‖Z + Δ‖²
        let logScale = log(proposal.standardDeviation)
        let logDensity = -spread / 2 - dimension * (log(2 * Double.pi) / 2 + logScale)  // log q(Ỹ)
        let entropy = dimension / 2 * (1 + log(2 * Double.pi) + 2 * logScale)  // H(q)
        let logAcceptance = max(logDensity - log(densityThreshold), logDensity + entropy - log(entropyThreshold))

        let isAccepted = randomness.accepts(logProbability: logAcceptance)
        let reflection = squaredDistance > 0 ? 2 * projection / squaredDistance : 0
        return Verdict(
            state: isAccepted ? proposal.state : proposal.repaired(by: reflection, along: delta),
            isAccepted: isAccepted, distance: squaredDistance.squareRoot(),
            acceptance: logAcceptance > 0 ? 1 : exp(logAcceptance))
    }
}
