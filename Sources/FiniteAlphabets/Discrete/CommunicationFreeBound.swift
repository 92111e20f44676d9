/// Theorem 3 (CWC, Section 4): what no protocol without communication can beat.
public enum CommunicationFreeBound {
    /// (1 - D)/(1 + D): reached by Gumbel and by weighted MinHash for every pair, exceeded by no protocol for all
    /// pairs.
    public static func matchProbability(totalVariation distance: Double) -> Double {
        (1 - distance) / (1 + distance)
    }

    /// The d + 1 distributions on d + 1 tokens, the i-th uniform on all but i, any two at total variation 1/d.
    ///
    /// Whatever their tokens, at least d of the d(d+1)/2 pairs differ, so some pair matches with probability
    /// at most 1 - 2/(d+1) = (1 - 1/d)/(1 + 1/d).
    /// - Throws: `CouplingError.parameterOutOfRange` for d < 1.
    public static func worstCaseFamily(d: Int) throws(CouplingError) -> [FiniteDistribution] {
        guard d >= 1 else { throw .parameterOutOfRange(name: "d", value: Double(d), expected: "at least 1") }
        var family: [FiniteDistribution] = []
        for excluded in 0...d {
            let weights = (0...d).map { $0 == excluded ? 0.0 : 1.0 }
            family.append(try FiniteDistribution(weights: weights, name: "member \(excluded) of the worst-case family"))
        }
        return family
    }
}
