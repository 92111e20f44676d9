import FiniteAlphabets
import Foundation
import Testing

@Suite("Figures and examples of the multi-draft papers")
struct PaperFigureTests {
    static func figure2(_ q1: Double, _ q2: Double) throws -> (optimum: Double, kSequential: Double, specInfer: Double)
    {
        let q = try FiniteDistribution([q1, q2, 1 - q1 - q2].map { max(0, $0) })
        let p = try FiniteDistribution(uniformOver: 3)
        let problem = try MultiDraftProblem(target: q, draft: p, count: 2)
        return (
            try ImportanceWeightedRule(problem).acceptance(), try KSequentialRule(problem).acceptance(),
            try RecursiveRejectionRule(problem).acceptance()
        )
    }

    @Test("IW Figure 2, left: q = (1/3, q₂, 2/3 - q₂)", arguments: 0...20)
    func figure2Left(step: Int) throws {
        let q2 = Double(step) / 20 * 2 / 3
        let (optimum, kSequential, specInfer) = try Self.figure2(1.0 / 3, q2)
        // Theorem 2: α* = 1 iff q₂ ≥ 1/9, q₃ ≥ 1/9 and each pair has at least 4/9, that is q_i ≤ 5/9.
        #expect((optimum > 1 - 1e-12) == (q2 >= 1.0 / 9 && q2 <= 5.0 / 9))
        // By hand: for q₂ < 1/9, H = {2} gives α* = 8/9 + q₂.
        if q2 < 1.0 / 9 { #expect(abs(optimum - (8.0 / 9 + q2)) < 1e-12) }
        #expect(max(kSequential, specInfer) <= optimum + 1e-12)
        // The baselines reach one at q = p alone.
        let isUniform = step == 10
        #expect((specInfer > 1 - 1e-12) == isUniform)
        #expect((kSequential > 1 - 1e-12) == isUniform)
    }

    @Test("IW Figure 2, right: q = (1/6, q₂, 5/6 - q₂)", arguments: 0...20)
    func figure2Right(step: Int) throws {
        let q2 = Double(step) / 20 * 5 / 6
        let (optimum, kSequential, specInfer) = try Self.figure2(1.0 / 6, q2)
        // Theorem 2 binds on the pairs with the first token: q₂, q₃ ≥ 4/9 - 1/6.
        #expect((optimum > 1 - 1e-12) == (min(q2, 5.0 / 6 - q2) >= 5.0 / 18))
        #expect(max(kSequential, specInfer) <= optimum + 1e-12)
        #expect(max(kSequential, specInfer) < 1 - 1e-6)
    }

    @Test("IW Example 1: two tokens, p = (½, ½): α* = 1 iff ¼ ≤ q₁ ≤ ¾; one draft only at ½", arguments: 0...16)
    func example1(step: Int) throws {
        let q1 = Double(step) / 16
        let q = try FiniteDistribution([q1, 1 - q1])
        let p = try FiniteDistribution(uniformOver: 2)
        let two = try OptimalAcceptance(MultiDraftProblem(target: q, draft: p, count: 2)).value
        let one = try OptimalAcceptance(MultiDraftProblem(target: q, draft: p, count: 1)).value
        #expect((two == 1) == (q1 >= 0.25 && q1 <= 0.75))
        #expect((one == 1) == (q1 == 0.5))
    }

    @Test("IW (10) and (11): what truncation may cost", arguments: 0..<40 as Range<UInt64>)
    func truncation(seed: UInt64) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let problem = try MultiDraftProblem(target: q, draft: p, count: 2)
        let optimum = try OptimalAcceptance(problem).value
        let need = q.probabilities.indices.map { q[$0] - p[$0] * p[$0] }.sorted(by: >)
        for s in 0...q.count {
            let truncated = try ImportanceWeightedRule(problem, method: .truncated(freeTokens: s)).acceptance()
            #expect(truncated >= optimum - need.dropFirst(s).reduce(0) { $0 + max(0, $1) } - 1e-12)
            let likeliest: Set<Int> = [q, p].reduce(into: []) { set, law in
                let order = law.probabilities.indices.sorted { law[$0] != law[$1] ? law[$0] > law[$1] : $0 < $1 }
                set.formUnion(order.prefix(s))
            }
            let outside = q.probabilities.indices.filter { !likeliest.contains($0) }
            let missingQ = outside.reduce(0) { $0 + q[$1] }
            let missingP = outside.reduce(0) { $0 + p[$1] }
            let byVocabulary = try ImportanceWeightedRule(
                problem, method: .truncatedVocabulary(likeliest: s, freeTokens: q.count)
            ).acceptance()
            // (191); the printed (11), (1 - 2ε_p)(α* - ε_q), is false where both factors are negative.
            #expect(byVocabulary >= (1 - missingP) * (1 - missingP) * (optimum - missingQ) - 1e-12)
        }
    }

    @Test(
        "global resolution on Zipf-like pairs of the sizes of GR Table 1",
        arguments: [(10, 5), (100, 2), (100, 3), (1000, 2)])
    func zipf(size: Int, n: Int) throws {
        var solved = 0
        for seed in 0..<3 as Range<UInt64> {
            let (q, p) = try ZipfPair.make(size: size, exponent: 1.5, seed: seed)
            let rule = try GlobalResolution(
                MultiDraftProblem(target: q, draft: p, count: n), configuration: .init(tolerance: 1e-3))
            if rule.earlyTermination == nil { solved += 1 }
            #expect(rule.optimum > (try MaximalCoupling(draft: p, target: q).matchProbability))
        }
        #expect(solved == 3)
    }
}

/// A target like word frequencies and a draft that misjudges each by a factor.
enum ZipfPair {
    static func make(size: Int, exponent: Double, seed: UInt64) throws -> (q: FiniteDistribution, p: FiniteDistribution)
    {
        var generator = TestProblems.stream(seed)
        let weights = (1...size).map { pow(Double($0), -exponent) }
        let noisy = weights.map { $0 * pow(2, Double.random(in: -2..<2, using: &generator)) }
        return (try FiniteDistribution(weights: weights), try FiniteDistribution(weights: noisy))
    }
}
