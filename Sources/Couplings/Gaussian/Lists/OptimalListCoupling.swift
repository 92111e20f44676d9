import Platform

/// What accepts most of all rules here: `NearestListCoupling` where it attains the bound `α*_n`, and otherwise the best of it,
/// the contest of two drafts and the selection by rank.
///
/// For two drafts the bound is attained from `δ ≈ 0.8` on, and missed by less than 0.3 % below that.
public struct OptimalListCoupling: ListRule {
    public init() {}

    public func onLine(distance: Double, drafts: Int) -> any LineCoupling {
        let nearest = NearestLineCoupling(distance: distance, drafts: drafts)
        if nearest.isOptimal { return nearest }
        let other: any LineCoupling =
            drafts == 2
            ? ContestLineCoupling(distance: distance) : RankListCoupling().onLine(distance: distance, drafts: drafts)
        return other.acceptance > nearest.acceptance ? other : nearest
    }

    /// `α*_n = 1 + min_a [Φ(Φ⁻¹(a) - δ) - aⁿ]`, which no exact rule with `n` drafts exceeds; `2Φ(-δ/2)` for one.
    /// - Parameters:
    ///   - distance: `δ ≥ 0`.
    ///   - drafts: `n ≥ 1`.
    public static func greatestAcceptance(distance: Double, drafts: Int) -> Double {
        guard distance > 0, drafts > 0 else { return distance.isNaN || drafts < 1 ? 0 : 1 }
        guard distance.isFinite else { return 0 }
        return NearestLineCoupling(distance: distance, drafts: drafts).bound
    }
}
