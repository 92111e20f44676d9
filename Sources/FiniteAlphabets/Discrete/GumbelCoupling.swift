import Couplings
import Platform

/// Protocol 3 (CWC, Section 3): Gumbel coupling, without communication.
///
/// Both parties hold the same uniform numbers u_1 … u_V and return the token of least -ln(u_i)/p_i under their own
/// law. Each party's token is a function of the numbers and of its own law alone, which is what makes decoding
/// by it drafter-invariant.
public enum GumbelCoupling {
    /// The public random numbers for a vocabulary of `count` tokens, each in (0, 1).
    public static func uniforms(count: Int, randomness: inout RandomStream) -> [Double] {
        (0..<count).map { _ in randomness.uniform() }
    }

    /// argmin_i -ln(u_i)/p_i.
    /// - Parameters:
    ///   - distribution: p.
    ///   - uniforms: numbers of (0, 1), one for each token.
    /// - Throws: `CouplingError.lengthsDiffer`.
    public static func token(
        of distribution: FiniteDistribution, uniforms: [Double]
    ) throws(CouplingError) -> Int {
        guard uniforms.count == distribution.count else {
            throw .lengthsDiffer(
                name: "uniforms", count: uniforms.count, otherName: "distribution", otherCount: distribution.count)
        }
        var best = distribution.token(atQuantile: 0)
        var least = Double.infinity
        for (token, probability) in distribution.probabilities.enumerated() where probability > 0 {
            let arrival = -log(uniforms[token]) / probability
            if arrival < least { (least, best) = (arrival, token) }
        }
        return best
    }

    /// The tokens of least -ln(u_i)/p_i, the least first: the party's own, and those that it would return without the ones before.
    /// - Parameters:
    ///   - law: p.
    ///   - numbers: u_i is the uniform that it gives after i others, so that of a large vocabulary only those are drawn that count.
    ///   - count: how many, at least 1; where the law has fewer tokens, all of them.
    public static func tokens(of law: SparseLaw, numbers: RandomStream, count: Int) -> [Int] {
        // All at once where most of them count.
        let isDense = law.tokens.count > law.vocabularySize / 8
        let uniforms = isDense ? numbers.uniforms(law.vocabularySize) : law.tokens.map(numbers.uniform)
        let arrivals = zip(law.tokens, law.probabilities).enumerated().map { place, pair in
            (token: pair.0, time: -log(uniforms[isDense ? pair.0 : place]) / pair.1)
        }
        func isEarlier(_ a: (token: Int, time: Double), _ b: (token: Int, time: Double)) -> Bool {
            (a.time, a.token) < (b.time, b.token)
        }
        if count == 1 { return arrivals.min(by: isEarlier).map { [$0.token] } ?? [] }
        return arrivals.sorted(by: isEarlier).prefix(count).map(\.token)
    }

    /// P(a = b) = Σ_j 1 / Σ_i max(p_i/p_j, q_i/q_j), summed over the j both laws may return (Theorem 2).
    ///
    /// In the order of decreasing p_i/q_i the maximum is p_i/p_j before j and q_i/q_j after it, so two prefix sums
    /// serve all j.
    /// - Complexity: O(V log V).
    /// - Throws: `CouplingError.lengthsDiffer`.
    public static func matchProbability(
        draft: FiniteDistribution, target: FiniteDistribution
    ) throws(CouplingError) -> Double {
        try draft.requireSameVocabulary(as: target)
        let p = draft.probabilities
        let q = target.probabilities
        let order = LikelihoodOrder.decreasing(numerator: p, denominator: q)
        var draftBefore = 0.0
        var targetAfter = order.reduce(0) { $0 + q[$1] }
        var total = 0.0
        for j in order {
            targetAfter -= q[j]
            if p[j] > 0, q[j] > 0 {
                total += 1 / (draftBefore / p[j] + 1 + max(0, targetAfter) / q[j])
            }
            draftBefore += p[j]
        }
        return min(1, total)
    }
}
