import Couplings
import FiniteAlphabets

/// The random pairs that the tests of multi-draft rules share: seeded, V ≤ 6, with zeros, ties, p = q and disjoint
/// supports among them.
enum TestProblems {
    static func stream(_ seed: UInt64, _ position: Int = 0) -> RandomStream {
        RandomSource(seed: seed).stream(sample: position, step: 0, purpose: .auxiliary)
    }

    static func distribution(_ generator: inout RandomStream, count: Int) throws -> FiniteDistribution {
        let style = Int.random(in: 0..<4, using: &generator)
        var weights = (0..<count).map { _ in Double.random(in: 0.001..<1, using: &generator) }
        if style == 1 {  // zeros
            for i in weights.indices where Bool.random(using: &generator) { weights[i] = 0 }
            weights[Int.random(in: 0..<count, using: &generator)] = 1
        }
        if style == 2 { weights = weights.map { ($0 * 4).rounded(.up) } }  // ties
        if style == 3 { weights = weights.map { $0 * $0 * $0 * $0 } }  // peaked
        return try FiniteDistribution(weights: weights)
    }

    static func pair(seed: UInt64, maximumVocabulary: Int = 6) throws -> (q: FiniteDistribution, p: FiniteDistribution)
    {
        var generator = TestProblems.stream(seed)
        let count = Int.random(in: 1...maximumVocabulary, using: &generator)
        let q = try distribution(&generator, count: count)
        if seed % 11 == 0 { return (q, q) }
        return (q, try distribution(&generator, count: count))
    }

    static func l1(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) }
    }
}
