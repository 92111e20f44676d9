/// Algorithm 1 (CWC, Section 6): rounding a distribution to multiples of ε/V.
///
/// Every probability is rounded down and what is left is given to the first token; the result is within total
/// variation ε of the original (Lemma 8), and each probability can be told in ⌈log₂(V/ε + 1)⌉ bits.
public struct DistributionDiscretization: Sendable {
    /// The rounded law p′.
    public let rounded: FiniteDistribution
    /// The number of units the whole is divided in: ⌈V/ε⌉.
    ///
    /// The paper's ε/V need not divide 1, and then the first token's remainder is no multiple of it; the unit is
    /// therefore taken as 1/⌈V/ε⌉ ≤ ε/V.
    public let unitCount: Int

    /// What ε may be.
    public static let precisions = ParameterRange("the precision", "above 0 and at most 1") { $0 > 0 && $0 <= 1 }

    /// - Throws: `CouplingError.parameterOutOfRange` unless 0 < ε ≤ 1, `.problemTooLarge` where V/ε is above 2⁵⁰.
    public init(_ distribution: FiniteDistribution, precision epsilon: Double) throws(CouplingError) {
        unitCount = try DistributionDiscretization.unitCount(vocabularySize: distribution.count, precision: epsilon)
        let units = Double(unitCount)
        var counts = distribution.probabilities.map { ($0 * units).rounded(.down) }
        counts[0] += units - counts.reduce(0, +)
        rounded = try FiniteDistribution(weights: counts, name: "rounded distribution")
    }

    /// ⌈V/ε⌉, at most 2⁵⁰ so that Double counts exactly.
    static func unitCount(vocabularySize: Int, precision epsilon: Double) throws(CouplingError) -> Int {
        let units = (Double(vocabularySize) / epsilon).rounded(.up)
        try DistributionDiscretization.precisions.check(epsilon)
        guard units <= 0x1p50 else {
            throw .problemTooLarge(what: "rounding the distribution", size: units, limit: 0x1p50)
        }
        return Int(units)
    }
}
