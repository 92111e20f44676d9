import Platform

/// Decides over the steps of a whole window at once.
public protocol BlockRule: Sendable {
    /// Whether what comes out has the target's law exactly.
    var isExact: Bool { get }

    /// - Parameters:
    ///   - proposals: consecutive drafted steps with `s > 0`, each from the state that the one before made.
    ///   - randomness: of this window alone, as must be the noise in the proposals: a window's decisions look at the noise of
    ///     all its steps, so that what is drafted after it needs noise of its own.
    func verify(_ proposals: [GaussianProposal], randomness: inout RandomStream) -> BlockVerdict
}

/// What a rule made of a window.
public struct BlockVerdict: Sendable {
    /// `τ`, how many of the drafted steps stand.
    public let accepted: Int
    /// The state after them in place of the drafted one; nil if all stand.
    public let repair: [Double]?

    public init(accepted: Int, repair: [Double]?) {
        (self.accepted, self.repair) = (accepted, repair)
    }
}

/// Block verification (Sun et al. 2025, *Block Verification Accelerates Speculative Decoding*) of a Gaussian chain: the longest
/// prefix that the *joint* densities allow, where step by step a draft has to hold by itself. (Arrived at from the
/// definition for tokens; arXiv 2606.13426 has another derivation for diffusions.)
///
/// With the ratios `ρ_i = q/p(x_i | x_{<i})` let `P_0 = 1` and `P_i = min(1, P_{i-1} ρ_i)`: unlike a product of acceptances it
/// lets a likely draft make up for an unlikely one before. With `R_i = ∫ (P_i q - p)⁺` over the step after `i`, each length
/// `i = 1 … γ` gets a coin of probability
///
///     h_i = R_i/(R_i + 1 - P_i),      h_γ = P_γ,
///
/// `τ` is the largest `i` whose coin shows heads, and the step after it is drawn from the density `(P_τ q - p)⁺/R_τ`. The two laws
/// differ along `Δ` alone: with `t` the position from the draft's mean towards the target's, `p = φ(t)`, `q = φ(t - δ)`, the
/// excess begins at `t* = δ/2 - log(P)/δ`, `R = P Φ(δ - t*) - Φ(-t*)`, and a draw from the target stands with probability
/// `(1 - p/(P q))⁺`, one in `P/R` of them; every other component is a fresh normal.
///
/// ## Why it is exact
/// *The first `i` drafts stand with probability `P(τ ≥ i | x_1 … x_i) = P_i`.* For `i = γ` that is `h_γ`. And if it holds for
/// `i + 1`, then given `x_1 … x_i` the drafts beyond `i` fail with `1 - ∫ p min(1, P_i ρ) = 1 - P_i + R_i`, and
/// `P(τ ≥ i) = P_i - R_i + (1 - P_i + R_i) h_i = P_i`. *The step after `i` has the target's law:* the density of `x_1 … x_i`
/// standing with `x` the next state is `p(x_1 … x_i)` times `min(p, P_i q)(x)` from drafts that stand, plus `P_i - (P_i - R_i)`
/// times `(P_i q - p)⁺(x)/R_i` from repairs: in all `P_i q(x)`, so that given a standing prefix the next state is a draw from
/// `q`. What is decided later starts from there with noise of its own.
public struct BlockVerification: BlockRule {
    /// Draws from the target after which the last one stands; more are needed with a probability below 10⁻⁷ a window.
    private let largestDrawCount = 1 << 22

    public init() {}

    public var isExact: Bool { true }

    public func verify(_ proposals: [GaussianProposal], randomness: inout RandomStream) -> BlockVerdict {
        let steps = proposals.map(BlockStep.init)
        var (logJoint, accepted) = (0.0, 0)  // log P_i, τ
        var logJoints = [0.0]
        for (index, step) in steps.enumerated() {
            logJoint = min(0, logJoint + step.logRatio)
            if logJoint.isNaN { logJoint = -.infinity }
            logJoints.append(logJoint)
            let joint = exp(logJoint)
            var heads = joint  // h_γ
            if index + 1 < steps.count {
                let excess = steps[index + 1].excess(logJoint: logJoint)
                heads = excess + (1 - joint) > 0 ? excess / (excess + (1 - joint)) : 1
            }
            if randomness.uniform() <= heads { accepted = index + 1 }
        }
        guard accepted < proposals.count else { return BlockVerdict(accepted: accepted, repair: nil) }
        let repair = repaired(
            proposals[accepted], step: steps[accepted], logJoint: logJoints[accepted], randomness: &randomness)
        return BlockVerdict(accepted: accepted, repair: repair)
    }

    private func repaired(
        _ proposal: GaussianProposal, step: BlockStep, logJoint: Double, randomness: inout RandomStream
    ) -> [Double] {
        let noise = randomness.normals(proposal.noise.count)
        guard step.distance > 0, step.distance.isFinite else {
            return Vector.combine(1, proposal.targetMean, proposal.standardDeviation, noise)
        }
        var position = step.distance
        for _ in 0..<largestDrawCount {
            position = step.distance + randomness.normals(1)[0]
            // log p/(P q)
            let logShare = -step.distance * (position - step.distance / 2) - logJoint
            if log(randomness.uniform()) > logShare { break }
        }
        // From the target's mean the position is δ - t along Δ, in place of what the fresh noise has there.
        let along = Vector.dot(step.delta, noise) / step.distance
        let coefficient = (along - (step.distance - position)) / step.distance
        return Vector.combine(
            1, proposal.targetMean, proposal.standardDeviation, Vector.combine(1, noise, -coefficient, step.delta))
    }
}

/// What block verification needs to know of a drafted step.
private struct BlockStep {
    /// `Δ`
    let delta: [Double]
    /// `δ = ‖Δ‖`
    let distance: Double
    /// `log ρ = -(½‖Δ‖² + ⟨Δ, Z⟩)`; -∞ where the draft has no finite mean.
    let logRatio: Double

    init(_ proposal: GaussianProposal) {
        delta = proposal.discrepancy
        let squaredDistance = Vector.squaredNorm(delta)
        let distance = squaredDistance.squareRoot()
        self.distance = distance.isNaN ? .infinity : distance
        let ratio = -(squaredDistance / 2 + Vector.dot(delta, proposal.noise))
        logRatio = ratio.isNaN ? -.infinity : ratio
    }

    /// `R = ∫ (P q - p)⁺`
    func excess(logJoint: Double) -> Double {
        guard distance.isFinite else { return exp(logJoint) }
        guard distance > 0, logJoint > -.infinity else { return 0 }
        let edge = distance / 2 - logJoint / distance  // t*
        return max(
            0, exp(logJoint) * StandardNormal.cumulative(distance - edge) - StandardNormal.cumulative(-edge))
    }
}
