import Platform

/// The sequential greedy rule: each draft in turn is accepted for as much as it can still give of what the target lacks.
/// (Greedy rejection sampling, Harsha et al. 2010 and Flamich & Theis 2023, stopped after `n` proposals; arXiv 2609.17691 calls
/// it D-GRS.)
///
/// After `k` rejections the accepted drafts make up `min(q, λ_k p)`: a draft that is reached, with probability `G_k`, gives
/// the target `min(G_k p, (q - λ_k p)⁺)`. Hence with `λ_0 = 0`, `G_0 = 1`
///
///     accept t with  min(1, (q/p(t) - λ_k)⁺/G_k),      λ_{k+1} = λ_k + G_k,
///     G_{k+1} = ∫ (q - λ_{k+1} p)⁺ = Φ(δ - τ) - λ_{k+1} Φ(-τ),      τ = δ/2 + log(λ_{k+1})/δ.
///
/// With one draft it is a maximal coupling. The order of the drafts must not depend on where they stand.
public struct GreedyListCoupling: ListRule {
    public init() {}

    public func onLine(distance: Double, drafts: Int) -> any LineCoupling {
        GreedyLineCoupling(distance: distance, drafts: drafts)
    }
}

struct GreedyLineCoupling: LineCoupling {
    let distance: Double
    /// `(λ_k, G_k)` from `k = 0` on; the last are those of a repair.
    let levels: [(level: Double, remaining: Double)]

    init(distance: Double, drafts: Int) {
        self.distance = distance
        var levels = [(level: 0.0, remaining: 1.0)]
        for k in 0..<drafts {
            let level = levels[k].level + levels[k].remaining
            let edge = distance / 2 + log(level) / distance  // τ
            let remaining =
                StandardNormal.cumulative(distance - edge) - level * StandardNormal.cumulative(-edge)
            levels.append((level, min(levels[k].remaining, max(0, remaining))))
        }
        self.levels = levels
    }

    var acceptance: Double { 1 - levels[levels.count - 1].remaining }

    func choose(from positions: [Double], randomness: inout RandomStream) -> Int? {
        for (index, (position, (level, remaining))) in zip(positions, levels).enumerated() {
            let gain = exp(logRatio(at: position)) - level
            if gain > 0, randomness.uniform() * remaining <= gain { return index }
        }
        return nil
    }

    func acceptedShare(at position: Double) -> Double {
        min(1, levels[levels.count - 1].level * exp(-logRatio(at: position)))
    }
}
