import Platform

/// The window that takes least time per decided step, by the acceptance seen so far:
///
///     W = argmin c(W + 1) / E[L̂(W)],        E[L̂(W)] = Σ_{j<W} Π_{i<j} a_i,
///
/// with `c(r)` the cost of a call of `r` rows and `a_i` the acceptance at position `i` of a window. A plain step, at
/// `c(1)` for one decided step, competes: where drafting can't pay, the policy continues without, and tries again after
/// a while, unless rows are so dear that not even an acceptance of 0.9, from which it starts, would pay for them. Exact as
/// every policy is; see `WindowPolicy`.
public struct AdaptiveWindow: WindowPolicy {
    /// `c`
    public let cost: CallCost
    public let longest: Int

    /// - Parameters:
    ///   - cost: of a call in which every sample has so many rows; measured, or `.perRow` for a chosen price.
    ///   - longest: no window is longer.
    /// - Throws: `DiffusionError` for a longest window below 1.
    public init(cost: CallCost, longest: Int = 100) throws(DiffusionError) {
        guard longest >= 1 else {
            throw DiffusionError("longest window", expected: "a number ≥ 1", found: "\(longest)")
        }
        self.cost = cost
        self.longest = longest
    }

    public func length(after decided: DecidedSteps) -> Int {
        if decided.isInPlainStretch { return 0 }
        let acceptance = AcceptanceByPosition(decided.drafts)
        var best = (length: 0, timePerStep: cost(rows: 1))
        var (reached, expected) = (1.0, 0.0)  // Π a_i and E[L̂(W)]
        for length in 1...longest {
            expected += reached
            reached *= acceptance[length - 1]
            let timePerStep = cost(rows: length + 1) / expected
            if timePerStep < best.timePerStep { best = (length, timePerStep) }
        }
        return best.length
    }
}

/// Acceptance by position in a window, from the decided drafts of one sample: positions double from one group to the
/// next, newer drafts count more, and a group with little to go by leans on the one before it.
struct AcceptanceByPosition {
    private static let start = 0.9
    /// After so many younger drafts a draft counts half.
    private static let halfLife = 32.0
    private static let priorWeight = 0.5
    private let groups: [Double]

    init(_ drafts: [DecidedSteps.Draft]) {
        var (sums, weights) = ([Double](repeating: 0, count: 64), [Double](repeating: 0, count: 64))
        var weight = 1.0
        let decay = pow(0.5, 1 / Self.halfLife)
        for draft in drafts.reversed() {
            let group = Self.group(of: draft.position)
            sums[group] += weight * draft.acceptance
            weights[group] += weight
            weight *= decay
        }
        var previous = Self.start
        groups = zip(sums, weights).map { sum, weight in
            previous = (sum + Self.priorWeight * previous) / (weight + Self.priorWeight)
            return previous
        }
    }

    subscript(position: Int) -> Double { groups[Self.group(of: position)] }

    /// 0, 1, 2…3, 4…7, …
    private static func group(of position: Int) -> Int { Int.bitWidth - position.leadingZeroBitCount }
}
