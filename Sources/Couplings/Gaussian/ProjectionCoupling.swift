import Platform

/// Algorithm 9 (DB25 App. G): the coupling is maximal for `A Ỹ` and `A Y`, what an operator sees of the states, in place
/// of the states themselves. With `P = A†A` the orthogonal projector on the rows of `A`,
///
///     accept iff  log U ≤ min(0, -½ (Δ + 2Z)ᵀ P Δ),      else  Y = m^q + s (Z - 2 (ZᵀPΔ)/(ΔᵀPΔ) Δ).
///
/// `A Y` has the target's law; `Y` has it only if `A` is invertible. What `A` does not see is never a reason to reject,
/// so that the rate of acceptance rises to `2Φ(-‖PΔ‖/2)`. The repair is along the whole of `Δ`, as published: that keeps
/// the mean of `Y` the target's in every direction, while its spread along the unseen part of `Δ` grows.
public struct ProjectionCoupling<Projector: OrthogonalProjector>: VerificationRule {
    public let projector: Projector

    public init(_ projector: Projector) { self.projector = projector }

    public var isExact: Bool { projector.rank == projector.dimension }

    /// The states must have the projector's dimension.
    public func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let delta = proposal.discrepancy  // Δ
        let visible = projector.project(delta)  // PΔ
        let squaredVisible = Vector.squaredNorm(visible)  // ΔᵀPΔ = ‖PΔ‖²
        let projection = Vector.dot(proposal.noise, visible)  // ZᵀPΔ
        let isAccepted = randomness.accepts(logProbability: -(squaredVisible / 2 + projection))
        return Verdict(
            state: isAccepted
                ? proposal.state : proposal.repaired(by: 2 * projection / squaredVisible, along: delta),
            isAccepted: isAccepted, distance: Vector.squaredNorm(delta).squareRoot(),
            acceptance: maximalAcceptance(distance: squaredVisible.squareRoot()))
    }
}
