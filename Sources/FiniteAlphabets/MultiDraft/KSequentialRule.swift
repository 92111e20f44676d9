import Platform

/// K-SEQ (SpecTr, Sun et al. 2023), a baseline of IW and GR: sequential selection with a deflated target.
///
/// The drafts are tried in turn, each kept with probability min(1, q(x)/(γ p(x))), that is β = Σ min(p, q/γ) in the
/// mean; after n rejections the output is drawn from q less what was accepted. That residual is not negative
/// where 1 - (1-β)ⁿ ≤ γβ, and acceptance 1 - (1-β)ⁿ falls with γ, so the best γ ∈ [1, n] makes the two equal.
public struct KSequentialRule: FixedResidualRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    public let residual: FiniteDistribution?
    /// γ.
    public let deflation: Double
    private let acceptancePerDraft: Double

    /// - Throws: `CouplingError.draftsNotIdentical`.
    public init(_ problem: MultiDraftProblem) throws(CouplingError) {
        let p = try problem.identicalDraft(for: "K-SEQ").probabilities
        let q = problem.target.probabilities
        let n = Double(problem.draftCount)
        func beta(_ gamma: Double) -> Double { Self.overlap(p, q, scale: 1 / gamma) }
        func accepted(_ beta: Double) -> Double { 1 - pow(max(0, 1 - beta), n) }
        // On [1, n] γβ(γ) rises and 1 - (1-β)ⁿ falls: the difference is not negative from the best γ on.
        let high = Self.firstAdmissible(from: 1, to: n) { gamma in
            let beta = beta(gamma)
            return gamma * beta - accepted(beta)
        }
        let perDraft = beta(high)
        self.problem = problem
        deflation = high
        acceptancePerDraft = perDraft
        guard perDraft > 0 else {
            residual = problem.target
            return
        }
        let scale = accepted(perDraft) / perDraft
        let excess = zip(p, q).map { max(0, $1 - min($0, $1 / high) * scale) }
        // Less than this remains through rounding alone.
        residual = excess.reduce(0, +) > 1e-14 ? try FiniteDistribution(weights: excess, name: "residual") : nil
    }

    /// The least argument at which a rising function is not negative, from above, by false position (the Illinois variant): ten
    /// steps where bisection takes fifty. The upper end is admissible.
    private static func firstAdmissible(from low: Double, to high: Double, _ function: (Double) -> Double) -> Double {
        var (low, high) = (low, high)
        var (below, above) = (function(low), function(high))
        if below >= 0 { return low }
        var lastSide = 0
        for _ in 0..<100 where high - low > 4 * high.ulp && above > 0 {
            let guess = (low * above - high * below) / (above - below)
            let middle = guess > low && guess < high ? guess : (low + high) / 2
            let value = function(middle)
            if value >= 0 {
                (high, above) = (middle, value)
                if lastSide > 0 { below /= 2 }
                lastSide = 1
            } else {
                (low, below) = (middle, value)
                if lastSide < 0 { above /= 2 }
                lastSide = -1
            }
        }
        return high
    }

    /// Σ min(p, scale · q), eight sums side by side: it is asked for some ten times.
    private static func overlap(_ p: [Double], _ q: [Double], scale: Double) -> Double {
        p.withUnsafeBufferPointer { p in
            q.withUnsafeBufferPointer { q in
                guard let first = p.baseAddress.map(UnsafeRawPointer.init),
                    let second = q.baseAddress.map(UnsafeRawPointer.init)
                else { return 0 }
                var sums = SIMD8<Double>.zero
                let whole = p.count / 8 * 8
                for start in stride(from: 0, to: whole, by: 8) {
                    let place = start * MemoryLayout<Double>.stride
                    sums += pointwiseMin(
                        first.loadUnaligned(fromByteOffset: place, as: SIMD8<Double>.self),
                        second.loadUnaligned(fromByteOffset: place, as: SIMD8<Double>.self) * scale)
                }
                return (whole..<p.count).reduce(sums.sum()) { $0 + min(p[$1], q[$1] * scale) }
            }
        }
    }

    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        var reached = 1.0
        return drafts.map { token in
            let p = problem.drafts[0][token]
            let q = problem.target[token]
            let keep = p > 0 ? min(1, q / (deflation * p)) : 0
            let taken = reached * keep
            reached -= taken
            return taken
        }
    }

    public func acceptance() -> Double {
        1 - pow(max(0, 1 - acceptancePerDraft), Double(problem.draftCount))
    }
}
