import Platform

/// Two drafts in a contest, decided by their likelihood ratios `ρ = q/p`: the first wins with probability
///
///     s = ½ (1 + κ (ρ(t₁) - ρ(t₂))),      cut off at 0 and 1,
///
/// and the winner is coupled maximally with the target. Without the cuts and at `κ = 1` the winner's density would be the target's
/// itself, for `2 ∫ s(t, t') φ(t') dt' = 1 + ρ(t) - E ρ = ρ(t)`: where the means are close, nearly every list has an accepted
/// draft. Large `κ` picks the draft nearest to the target. In between `κ` is chosen for the greatest acceptance, which is
/// within 0.3 % of `α*_2` at every distance that was tried.
///
/// The winner's density is `g = φ(t) · [2Φ(x₁) + (1 + κρ)(Φ(x₂) - Φ(x₁)) - κ (Φ(x₂ - δ) - Φ(x₁ - δ))]`, `x₁` and `x₂` where
/// the ratio is `ρ(t) ∓ 1/κ`. It is accepted with `min(1, q/g)`.
public struct ContestListCoupling: ListRule {
    public init() {}

    /// Of more than two drafts only the first two are looked at; one by itself is coupled maximally.
    public func onLine(distance: Double, drafts: Int) -> any LineCoupling {
        guard drafts > 1 else { return GreedyLineCoupling(distance: distance, drafts: 1) }
        return ContestLineCoupling(distance: distance)
    }
}

struct ContestLineCoupling: LineCoupling {
    let distance: Double
    /// `κ ≥ 1`
    let steepness: Double
    private(set) var acceptance = 0.0

    init(distance: Double) {
        func trial(_ logSteepness: Double) -> Double {
            ContestLineCoupling(distance: distance, steepness: exp(logSteepness)).overlap(parts: 16)
        }
        // Golden section search; 1 where nothing is better.
        let golden = (5.0.squareRoot() - 1) / 2
        var (low, high) = (0.0, 6.0)
        for _ in 0..<16 {
            let (first, second) = (high - golden * (high - low), low + golden * (high - low))
            if trial(first) < trial(second) { low = first } else { high = second }
        }
        let best = (low + high) / 2
        let isBetter = trial(best) > trial(0)
        self.init(distance: distance, steepness: isBetter ? exp(best) : 1)
        acceptance = overlap(parts: 128)
    }

    private init(distance: Double, steepness: Double) {
        (self.distance, self.steepness) = (distance, steepness)
    }

    /// `∫ min(q, g)`
    private func overlap(parts: Int) -> Double {
        let integral = Quadrature.integral(from: -8, to: distance + 8, parts: parts) { t in
            min(exp(-(t - distance) * (t - distance) / 2), exp(-t * t / 2) * winnersFactor(at: t))
        }
        return min(1, integral / (2 * Double.pi).squareRoot())
    }

    /// `ρ(t)`, finite.
    private func ratio(at position: Double) -> Double { exp(min(700, logRatio(at: position))) }

    /// Where the ratio has a value; -∞ for what it never has.
    private func position(ofRatio ratio: Double) -> Double {
        ratio > 0 ? log(ratio) / distance + distance / 2 : -.infinity
    }

    /// `Φ(b) - Φ(a)`, of the tail that is nearer.
    private static func mass(from a: Double, to b: Double) -> Double {
        a > 0
            ? StandardNormal.cumulative(-a) - StandardNormal.cumulative(-b)
            : StandardNormal.cumulative(b) - StandardNormal.cumulative(a)
    }

    /// `g(t)/φ(t)`
    private func winnersFactor(at position: Double) -> Double {
        let ratio = ratio(at: position)
        let (low, high) = (
            self.position(ofRatio: ratio - 1 / steepness), self.position(ofRatio: ratio + 1 / steepness)
        )
        let between = (1 + steepness * ratio) * Self.mass(from: low, to: high)
        return max(
            0,
            2 * StandardNormal.cumulative(low) + between
                - steepness * Self.mass(from: low - distance, to: high - distance))
    }

    func choose(from positions: [Double], randomness: inout RandomStream) -> Int? {
        guard positions.count > 1 else { return nil }
        let lead = steepness * (ratio(at: positions[0]) - ratio(at: positions[1]))
        let winner = 2 * randomness.uniform() < 1 + lead ? 0 : 1
        let factor = winnersFactor(at: positions[winner])
        let isAccepted = randomness.accepts(logProbability: logRatio(at: positions[winner]) - log(factor))
        return isAccepted ? winner : nil
    }

    func acceptedShare(at position: Double) -> Double {
        min(1, winnersFactor(at: position) * exp(-logRatio(at: position)))
    }
}
