import Platform

/// A maximal coupling that moves rejected drafts as little as can be: Algorithm 4's acceptance, and in place of the
/// reflection the monotone map of the rejected drafts' law on the residual's.
///
/// Rejected drafts and what the target still lacks are mirror images in the hyperplane half-way between the means. At the
/// distances `w` and `v` from it, on either side, both have the density
///
///     g(w) = φ(w - δ/2) - φ(w + δ/2),      w > 0,      δ = ‖Δ‖.
///
/// The reflection `v = w` pairs the far with the far. Here the order along `Δ` is kept: with the distribution function `G` of
/// `g`, `v` solves `1 - G(v) = G(w)`, so that `v` has the law of `w`, and the state that of the target. The mean displacement
/// `E (w + v)` is the same for every coupling of the two, for they lie on different sides; its mean square, which the reflection
/// makes the largest that it can be, is the least here (the rearrangement inequality).
public struct MonotoneResidualCoupling: VerificationRule {
    public init() {}

    public var isExact: Bool { true }

    public func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) -> Verdict {
        let delta = proposal.discrepancy  // Δ
        let squaredDistance = Vector.squaredNorm(delta)  // δ²
        let distance = squaredDistance.squareRoot()
        let projection = Vector.dot(delta, proposal.noise)  // ⟨Δ, Z⟩
        if randomness.accepts(logProbability: -(squaredDistance / 2 + projection)) {
            return Verdict(state: proposal.state, isAccepted: true, distance: distance)
        }
        // Seen from the target's mean along Δ the draft stands at δ/2 + w and its repair at δ/2 - v.
        let along = projection / distance  // ⟨e, Z⟩
        let v = Self.counterpart(of: distance / 2 + along, distance: distance)
        let move = (along - (distance / 2 - v)) / distance
        return Verdict(state: proposal.repaired(by: move, along: delta), isAccepted: false, distance: distance)
    }

    /// `v` with `1 - G(v) = G(w)`.
    /// - Parameters:
    ///   - w: distance of a rejected draft from the hyperplane, above 0.
    ///   - distance: `δ > 0`.
    package static func counterpart(of w: Double, distance: Double) -> Double {
        guard w.isFinite, distance.isFinite else { return w }
        let law = ResidualDistance(shift: distance / 2)
        // Of G and 1 - G the smaller is the one that is known to many digits.
        let (below, above) = (law.cumulative(w), law.survival(w))
        var (low, high) = (0.0, distance / 2 + 40)
        for _ in 0..<64 {
            let middle = (low + high) / 2
            let isBelow = below < above ? law.survival(middle) > below : law.cumulative(middle) < above
            if isBelow { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}

/// `G`, the law of how far a rejected draft lies beyond the hyperplane half-way between two Gaussians' means, with relative
/// accuracy in both tails however close the means are.
struct ResidualDistance {
    /// `h = δ/2 > 0`
    let shift: Double

    /// `∫ g = 2Φ(h) - 1`, the probability of a rejection.
    var total: Double { erf(shift / 2.0.squareRoot()) }

    /// `1 - G(w) = (Φ(w + h) - Φ(w - h))/(2Φ(h) - 1)`
    func survival(_ w: Double) -> Double {
        if shift < 0.5, w * shift < 2 {  // the two values of Φ would be too close to be subtracted
            return Quadrature.integral(from: -shift, to: shift) { Self.density(w + $0) } / total
        }
        return (StandardNormal.cumulative(shift - w) - StandardNormal.cumulative(-shift - w)) / total
    }

    /// `G(w)`
    func cumulative(_ w: Double) -> Double {
        guard w < 1 else { return 1 - survival(w) }
        return Quadrature.integral(from: 0, to: w) { u in
            -expm1(-2 * shift * u) * Self.density(u - shift)
        } / total
    }

    private static func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
}
