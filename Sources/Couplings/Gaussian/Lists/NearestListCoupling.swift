import Platform

/// The draft nearest to the target first, and another where that one is rejected.
///
/// Let `m` be the nearest, the largest of the positions, with density `n Φ^{n-1} φ`. The ratio `r = q/(n Φ^{n-1} φ)` is convex in
/// logs, falls, then rises, and crosses 1 at two points `t₁ < h`. At `h` the minimum of the bound
/// `α*_n = 1 + min_t [Φ(t - δ) - Φ(t)ⁿ]` is attained. Two steps:
///
/// 1. `m` is accepted outright beyond `h` and below `t₁`, and with probability `r(m)` between them. That gives the target all
///    that it has between them, all it can get beyond `h`, and below `t₁` too little, `n Φ^{n-1} φ`.
/// 2. If `m` was rejected, one of the others is picked blindly. Below `t₁` the picked ones have the density `C φ(t)`,
///    `C = ∫_{t₁}^{h} (n φ Φ^{n-2} - φ(m - δ)/Φ(m)) dm`, and are accepted with `(q/φ - n Φ^{n-1})/C`: what was still lacking,
///    or as much of it as there is.
///
/// If that is at most 1 everywhere, all that the target has below `h` is made up by drafts, and every list with a draft
/// beyond `h` is accepted: `Φ(h - δ) + 1 - Φ(h)ⁿ`, the bound. So it is where the means are far apart.
public struct NearestListCoupling: ListRule {
    public init() {}

    public func onLine(distance: Double, drafts: Int) -> any LineCoupling {
        NearestLineCoupling(distance: distance, drafts: drafts)
    }
}

struct NearestLineCoupling: LineCoupling {
    let distance: Double
    let drafts: Int
    /// `t₁`
    let lower: Double
    /// `h`
    let upper: Double
    /// `C`
    let density: Double
    /// What the second step cannot give the target: `∫ (q - n Φ^{n-1} φ - C φ)⁺` below `t₁`.
    private(set) var missing = 0.0

    init(distance: Double, drafts: Int) {
        (self.distance, self.drafts) = (distance, drafts)
        guard drafts > 1 else {
            (lower, upper, density) = (-.infinity, distance / 2, 1)
            return
        }
        let n = Double(drafts)
        func logRatio(_ t: Double) -> Double {  // log r, convex
            distance * (t - distance / 2) - log(n) - (n - 1) * StandardNormal.logCumulative(t)
        }
        // log r falls below 0 somewhere between its two zeros. Both densities have mass 1, so they cross; right of
        // log(n)/δ + δ/2 the ratio exceeds 1 for certain, and left of -(3δ + 40 + 2n) as well.
        let (left, right) = (-(3 * distance + 40 + 2 * n), log(n) / distance + distance)
        let valley = Self.start(in: left...right) { t in
            distance > (n - 1) * exp(-t * t / 2 - log(2 * Double.pi) / 2 - StandardNormal.logCumulative(t))
        }
        lower = Self.start(in: left...valley) { logRatio($0) < 0 }
        upper = Self.start(in: valley...right) { logRatio($0) > 0 }
        // Beyond 9 nothing is left of φ, and h may be as far away as the means are close.
        let end = min(upper, 9 + distance)
        let picked =
            n / (n - 1)
            * (exp((n - 1) * StandardNormal.logCumulative(end)) - exp((n - 1) * StandardNormal.logCumulative(lower)))
        let kept = Quadrature.integral(from: lower, to: max(lower, end), parts: 16) { m in
            exp(-(m - distance) * (m - distance) / 2 - StandardNormal.logCumulative(m))
        }
        density = max(0, picked - kept / (2 * Double.pi).squareRoot())
        let coupling = self
        let missing = Quadrature.integral(from: lower - 9, to: lower, parts: 64) { t in
            max(0, coupling.lack(at: t) - coupling.density) * exp(-t * t / 2)
        }
        self.missing = missing / (2 * Double.pi).squareRoot()
    }

    /// Where a property begins to hold, by bisection.
    private static func start(in range: ClosedRange<Double>, holds: (Double) -> Bool) -> Double {
        var (low, high) = (range.lowerBound, range.upperBound)
        for _ in 0..<100 {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// `α*_n = Φ(h - δ) + 1 - Φ(h)ⁿ`
    var bound: Double {
        let below = exp(Double(drafts) * StandardNormal.logCumulative(upper))
        return min(1, StandardNormal.cumulative(upper - distance) + (1 - below))
    }

    var acceptance: Double { max(0, bound - missing) }
    /// To ten digits.
    var isOptimal: Bool { missing < 1e-10 }

    /// `n Φ(t)^{n-1}`
    private func greatest(at position: Double) -> Double {
        Double(drafts) * exp(Double(drafts - 1) * StandardNormal.logCumulative(position))
    }

    /// `q/φ - n Φ^{n-1}` below `t₁`
    private func lack(at position: Double) -> Double {
        max(0, exp(logRatio(at: position)) - greatest(at: position))
    }

    func choose(from positions: [Double], randomness: inout RandomStream) -> Int? {
        guard let first = positions.indices.max(by: { positions[$0] < positions[$1] }) else { return nil }
        let position = positions[first]
        if position >= upper || position <= lower { return first }
        let logAcceptance = logRatio(at: position) - log(greatest(at: position))
        if randomness.accepts(logProbability: logAcceptance) { return first }
        guard positions.count > 1 else { return nil }
        let pick = min(positions.count - 2, Int(randomness.uniform() * Double(positions.count - 1)))
        let second = pick < first ? pick : pick + 1
        guard positions[second] < lower else { return nil }
        return randomness.uniform() * density < lack(at: positions[second]) ? second : nil
    }

    func acceptedShare(at position: Double) -> Double {
        let share = greatest(at: position) * exp(-logRatio(at: position))
        if position >= upper { return min(1, share) }
        if position > lower { return 1 }
        return min(1, share + density * exp(-logRatio(at: position)))
    }
}
