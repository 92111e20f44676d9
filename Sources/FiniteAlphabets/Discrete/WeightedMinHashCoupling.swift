import Couplings

/// Protocol 2 (CWC, Section 3): weighted MinHash coupling, without communication.
///
/// Both parties watch the same darts fall on [0, V]; each returns the first j whose interval [j, j + p_j] under its
/// own law is hit.
public enum WeightedMinHashCoupling {
    /// The token that the public darts give `distribution`. V darts are needed in the mean.
    /// - Parameters:
    ///   - distribution: p.
    ///   - darts: the public random numbers; taken by value, so that equal copies throw equal darts.
    public static func token(of distribution: FiniteDistribution, darts: RandomStream) -> Int {
        var darts = darts
        let count = Double(distribution.count)
        // Each dart misses with probability 1 - 1/V: 64 V misses in a row have probability e⁻⁶⁴.
        for _ in 0..<(64 * distribution.count) {
            let dart = darts.uniform() * count
            let token = min(Int(dart), distribution.count - 1)
            if dart - Double(token) < distribution[token] { return token }
        }
        return distribution.sample(randomness: &darts)
    }

    /// P(a = b) = (1 - D + Σ |p_i - q_i| min(p_i, q_i)) / (1 + D), D = D_TV(p, q) (Fact 5).
    ///
    /// The sum counts the darts that end one party's game and not the other's, who then hits the same token later.
    /// - Throws: `CouplingError.lengthsDiffer`.
    public static func matchProbability(
        draft: FiniteDistribution, target: FiniteDistribution
    ) throws(CouplingError) -> Double {
        let distance = try draft.totalVariation(to: target)
        let late = zip(draft.probabilities, target.probabilities)
            .reduce(0) { $0 + abs($1.0 - $1.1) * min($1.0, $1.1) }
        return (1 - distance + late) / (1 + distance)
    }
}
