import Platform

/// Decides over several drafts of a step: accept one of them, or put another state in their place.
///
/// Draft and target differ along `Δ` alone, so a rule need only say what it does on that line, with the drafts standing at
/// independent draws from `N(0, 1)` and the target at `N(δ, 1)`, `δ = ‖Δ‖`. Across `Δ` an accepted draft keeps what it has,
/// and a repair takes what the first draft has: neither had a part in the decision, so both are standard normal given it.
public protocol ListRule: Sendable {
    /// The rule at a distance, with all that can be prepared for it.
    /// - Parameters:
    ///   - distance: `δ`, positive and finite.
    ///   - drafts: `n ≥ 1`.
    func onLine(distance: Double, drafts: Int) -> any LineCoupling
}

/// A coupling of `n` independent draws from `N(0, 1)` with one from `N(δ, 1)`, as a list rule prepares it.
///
/// It is exact if `acceptedShare` is what it says: then what it accepts has the density `a(t) φ(t - δ)`, and a repair is drawn
/// from what is missing, `(1 - a(t)) φ(t - δ)`.
public protocol LineCoupling: Sendable {
    /// `δ`
    var distance: Double { get }
    /// The probability that one of the drafts is accepted, `∫ a(t) φ(t - δ) dt`.
    var acceptance: Double { get }
    /// Which draft is accepted, if any.
    /// - Parameter positions: of all the drafts on the line.
    func choose(from positions: [Double], randomness: inout RandomStream) -> Int?
    /// `a(t)`, the share of the target's density at `t` that accepted drafts make up, from 0 to 1.
    func acceptedShare(at position: Double) -> Double
}

extension LineCoupling {
    /// Draws from the target until one falls to what accepted drafts do not make up. That takes `1/(1 - acceptance)` draws on
    /// average: over all decided steps one a step, of a single number each.
    ///
    /// After 2²² draws the last one stands. A rejection of probability `ε` takes more with `(1 - ε)^{2²²}`, so the law is off by
    /// less than `ε (1 - ε)^{2²²} < 10⁻⁷` in total variation, and only where a rejection has a probability of about that size.
    func repair(randomness: inout RandomStream) -> Double {
        var position = distance
        for _ in 0..<1 << 22 {
            position = distance + randomness.normals(1)[0]
            if randomness.uniform() > acceptedShare(at: position) { break }
        }
        return position
    }

    /// `log q(t)/p(t) = δ t - δ²/2`
    func logRatio(at position: Double) -> Double { distance * (position - distance / 2) }
}

extension ListRule {
    /// - Parameters:
    ///   - proposal: drafted states with `s > 0`.
    ///   - randomness: the step's own stream.
    ///   - prepared: the rule at the proposal's distance, if it is at hand already.
    public func verify(
        _ proposal: GaussianListProposal, randomness: inout RandomStream, prepared: (any LineCoupling)? = nil
    ) -> ListVerdict {
        let first = proposal.proposal(0)
        let delta = first.discrepancy  // Δ
        let distance = Vector.squaredNorm(delta).squareRoot()
        guard distance > 0 else {
            // Equal means leave nothing to reject; a mean that is no number leaves nothing to accept.
            let isEqual = distance == 0
            return ListVerdict(
                state: isEqual ? first.state : first.repaired(by: 0, along: delta), accepted: isEqual ? 0 : nil,
                distance: isEqual ? 0 : .infinity, acceptance: isEqual ? 1 : 0)
        }
        guard distance.isFinite else {
            return ListVerdict(
                state: first.repaired(by: 0, along: delta), accepted: nil, distance: distance, acceptance: 0)
        }
        let coupling = prepared ?? onLine(distance: distance, drafts: proposal.noises.count)
        let positions = proposal.noises.map { -Vector.dot(delta, $0) / distance }
        if let index = coupling.choose(from: positions, randomness: &randomness) {
            return ListVerdict(
                state: proposal.states[index], accepted: index, distance: distance, acceptance: coupling.acceptance)
        }
        // From the target's mean the repair is δ - t along Δ, where the first draft's noise has -t_1.
        let position = coupling.repair(randomness: &randomness)
        let state = first.repaired(by: (position - distance - positions[0]) / distance, along: delta)
        return ListVerdict(state: state, accepted: nil, distance: distance, acceptance: coupling.acceptance)
    }
}
