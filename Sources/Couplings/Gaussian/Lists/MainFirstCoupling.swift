import Platform

/// Two drafts of which the first is dear: it is accepted as often as if it were alone, `2Φ(-δ/2)`, and is rejected where
/// possible just when the second can take its place.
///
/// In a maximal coupling the first is rejected with a probability `a(w₁)` that is prescribed for every place where it may stand,
/// `w₁ > 0` from the middle between the means on the draft's side; but *which* rejection happens may depend on the second. That
/// one is of use where the target lacks something, `w₂ > 0` on the target's side. With
///
///     a(w₁) = 1 - e^{-δ w₁},      b(w₂) = e^{δ w₂} - 1,      P₁(w) = Φ(δ/2 - w),      P₂(w) = Φ(-δ/2 - w)
///
/// (how often the first is rejected; how much of the target's residual a draft at `w₂` may make up; how often drafts lie
/// beyond) a probability `c(w₁, w₂)` of the second taking over is in order if it gives neither `w₁` more than `a` nor `w₂`
/// more than `b` on average over the other. Two of closed form are:
///
/// - edge: `c = 1` where `P₂(w₂) < a(w₁)` and `P₁(w₁) < b(w₂)`. Either inequality by itself keeps to one bound.
///   Where the two curves cross once, which is from about `δ = 0.25` on, no `c` rescues more (a cut of the same size in the
///   network of flows from `w₁` to `w₂`);
/// - product: `c = min(1, a b/R)`, `R = 2Φ(δ/2) - 1`, which rescues nearly all where the means are close.
///
/// The one is taken that rescues more at the distance. What is left of the rejections is independent of the second draft.
public struct MainFirstCoupling: ListRule {
    public init() {}

    /// Only the first two drafts are looked at; with one it is a maximal coupling.
    public func onLine(distance: Double, drafts: Int) -> any LineCoupling {
        guard drafts > 1 else { return GreedyLineCoupling(distance: distance, drafts: 1) }
        let product = MainFirstLineCoupling(distance: distance, isProduct: true)
        let edge = MainFirstLineCoupling(distance: distance, isProduct: false)
        return product.rescued > edge.rescued ? product : edge
    }

    /// The greatest probability with which any `c` lets the second draft take over, a minimal cut: `min_{u,v} [g(0,u) +
    /// g(0,v) + P₁(u) P₂(v)]` with `g(0,w)` the residual's mass up to `w`; on a grid of 400 points each way.
    /// - Parameter distance: `δ > 0`.
    public static func greatestRescue(distance: Double) -> Double {
        guard distance > 0, distance.isFinite else { return 0 }
        let half = distance / 2
        let law = ResidualDistance(shift: half)
        let points = (0...400).map { Double($0) / 400 * (half + 9) }
        let masses = points.map { law.total * min(1, law.cumulative($0)) }
        let (main, side) = (
            points.map { StandardNormal.cumulative(half - $0) }, points.map { StandardNormal.cumulative(-half - $0) }
        )
        var least = law.total
        for u in points.indices {
            for v in points.indices { least = min(least, masses[u] + masses[v] + main[u] * side[v]) }
        }
        return least
    }
}

struct MainFirstLineCoupling: LineCoupling {
    let distance: Double
    let isProduct: Bool
    /// The probability that the second draft takes over.
    private(set) var rescued = 0.0
    private let law: ResidualDistance

    init(distance: Double, isProduct: Bool) {
        (self.distance, self.isProduct) = (distance, isProduct)
        law = ResidualDistance(shift: distance / 2)
        let (half, coupling) = (distance / 2, self)
        // Over all w₁ beyond the middle, of which 9 deviations are enough.
        let mean = Quadrature.integral(from: 0, to: half + 9, parts: 64) { w in
            exp(-(w - half) * (w - half) / 2) * coupling.mainMean(w)
        }
        rescued = min(law.total, mean / (2 * Double.pi).squareRoot())
    }

    var acceptance: Double { 1 - law.total + rescued }

    /// `a(w₁)`
    private func rejection(_ w: Double) -> Double { -expm1(-distance * w) }
    /// `b(w₂)`
    private func need(_ w: Double) -> Double { expm1(distance * w) }
    /// `P₁(w)`
    private func mainBeyond(_ w: Double) -> Double { StandardNormal.cumulative(distance / 2 - w) }
    /// `P₂(w)`
    private func sideBeyond(_ w: Double) -> Double { StandardNormal.cumulative(-distance / 2 - w) }

    /// `c(w₁, w₂)`
    func takeover(main: Double, side: Double) -> Double {
        guard main > 0, side > 0 else { return 0 }
        if isProduct { return min(1, rejection(main) * need(side) / law.total) }
        return sideBeyond(side) < rejection(main) && mainBeyond(main) < need(side) ? 1 : 0
    }

    /// `E c(w₁, ·)`, at most `a(w₁)`.
    func mainMean(_ w: Double) -> Double {
        guard w > 0 else { return 0 }
        let a = rejection(w)
        if isProduct {
            // c reaches 1 where b = R/a, and ∫ b dP₂ up to there is the residual's mass.
            let edge = log1p(law.total / a) / distance
            return min(a, a * law.cumulative(edge) + sideBeyond(edge))
        }
        // Beyond the larger of the two edges; b(w₂) = P₁(w₁) is at log(1 + P₁)/δ.
        return min(a, sideBeyond(log1p(mainBeyond(w)) / distance))
    }

    /// `E c(·, w₂)`, at most `b(w₂)`.
    func sideMean(_ w: Double) -> Double {
        guard w > 0 else { return 0 }
        let b = need(w)
        if isProduct {
            guard b > law.total else { return b }  // c < 1 for every w₁, and ∫ a dP₁ = R
            let edge = -log1p(-law.total / b) / distance  // where a = R/b
            return min(b, b * law.cumulative(edge) + mainBeyond(edge))
        }
        // a(w₁) = P₂(w₂) is at -log(1 - P₂)/δ.
        return min(b, mainBeyond(-log1p(-sideBeyond(w)) / distance))
    }

    func choose(from positions: [Double], randomness: inout RandomStream) -> Int? {
        let main = distance / 2 - positions[0]
        guard main > 0 else { return 0 }
        let side = positions.count > 1 ? positions[1] - distance / 2 : 0
        if randomness.uniform() < takeover(main: main, side: side) { return 1 }
        // The rejections that are left, a - E c, on what is left of the second draft's law, 1 - E c.
        let mean = mainMean(main)
        return randomness.uniform() * (1 - mean) < rejection(main) - mean ? nil : 0
    }

    func acceptedShare(at position: Double) -> Double {
        let w = position - distance / 2
        guard w > 0 else { return 1 }
        // φ(w + δ/2)/φ(w - δ/2) = e^{-δ w}
        return min(1, exp(-distance * w) * (1 + sideMean(w)))
    }
}
