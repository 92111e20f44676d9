import FiniteAlphabets
import Testing

@Suite("Couplings of two parties")
struct TwoPartyTests {
    static let draws = 20_000

    /// Six standard errors of a frequency near one half.
    static let frequencyTolerance = 6 * 0.5 / Double(draws).squareRoot()

    static func totalVariation(_ counts: [Int], _ law: FiniteDistribution) -> Double {
        zip(counts, law.probabilities).reduce(0) { $0 + abs(Double($1.0) / Double(draws) - $1.1) } / 2
    }

    /// Draws pairs, and checks both marginals within total variation 0.04 — the mean of an empirical one is below
    /// ½ √(V/draws) = 0.009 for V ≤ 6 — and the frequency of equality against `match`.
    func check(
        _ q: FiniteDistribution, _ p: FiniteDistribution, match: Double,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ pair: (Int) throws -> (Int, Int)
    ) rethrows {
        var drafts = Array(repeating: 0, count: q.count)
        var targets = drafts
        var equal = 0
        for draw in 0..<Self.draws {
            let (a, b) = try pair(draw)
            drafts[a] += 1
            targets[b] += 1
            if a == b { equal += 1 }
        }
        #expect(Self.totalVariation(drafts, p) < 0.04, sourceLocation: sourceLocation)
        #expect(Self.totalVariation(targets, q) < 0.04, sourceLocation: sourceLocation)
        #expect(
            abs(Double(equal) / Double(Self.draws) - match) < Self.frequencyTolerance, sourceLocation: sourceLocation)
    }

    @Test("maximal coupling", arguments: [1, 2, 3, 4, 5, 11] as [UInt64])
    func maximal(seed: UInt64) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let coupling = try MaximalCoupling(draft: p, target: q)
        #expect(abs(coupling.matchProbability - (1 - (try p.totalVariation(to: q)))) < 1e-12)
        var generator = TestProblems.stream(seed)
        try check(q, p, match: coupling.matchProbability) { _ in
            let draft = p.sample(randomness: &generator)
            return (draft, try coupling.verify(draft, randomness: &generator).token)
        }
    }

    @Test("Gumbel", arguments: [1, 2, 3, 4, 5, 11] as [UInt64])
    func gumbel(seed: UInt64) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        try check(q, p, match: GumbelCoupling.matchProbability(draft: p, target: q)) { draw in
            var generator = TestProblems.stream(seed, draw)
            let uniforms = GumbelCoupling.uniforms(count: q.count, randomness: &generator)
            return (
                try GumbelCoupling.token(of: p, uniforms: uniforms), try GumbelCoupling.token(of: q, uniforms: uniforms)
            )
        }
    }

    @Test("weighted MinHash", arguments: [1, 2, 3, 4, 5, 11] as [UInt64])
    func minHash(seed: UInt64) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        try check(q, p, match: WeightedMinHashCoupling.matchProbability(draft: p, target: q)) { draw in
            let darts = TestProblems.stream(seed, draw)
            return (
                WeightedMinHashCoupling.token(of: p, darts: darts), WeightedMinHashCoupling.token(of: q, darts: darts)
            )
        }
    }

    @Test("low communication", arguments: [1, 2, 3, 4, 5, 11] as [UInt64], [0.2, 1e-3])
    func lowCommunication(seed: UInt64, precision: Double) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let coupling = try LowCommunicationCoupling(draft: p, target: q, precision: precision)
        let maximal = try MaximalCoupling(draft: p, target: q).matchProbability
        #expect(coupling.matchProbability >= maximal - precision - 1e-12)
        #expect(coupling.matchProbability <= maximal + 1e-12)
        var shared = TestProblems.stream(seed, 0)
        var alice = TestProblems.stream(seed, 1)
        var bob = TestProblems.stream(seed, 2)
        var rounds = 0
        var bits = 0
        try check(q, p, match: coupling.matchProbability) { _ in
            let run = try coupling.run(shared: &shared, alice: &alice, bob: &bob)
            rounds += run.rounds
            bits += run.bits
            return (run.draftToken, run.targetToken)
        }
        // Rounds have mean 2 and variance below 2/D; the rare and long runs of a tiny D are left to the mean's own
        // bound.
        let distance = 1 - maximal
        let mean = Double(rounds) / Double(Self.draws)
        if distance > 0.05 { #expect(abs(mean - 2) < 6 * (2 / distance / Double(Self.draws)).squareRoot()) }
        #expect(bits == rounds * (bits / max(rounds, 1)))
    }

    @Test("discretisation: multiples of the unit, within ε", arguments: 0..<20 as Range<UInt64>, [0.3, 0.01])
    func discretisation(seed: UInt64, precision: Double) throws {
        let (q, _) = try TestProblems.pair(seed: seed)
        let rounded = try DistributionDiscretization(q, precision: precision)
        #expect(try rounded.rounded.totalVariation(to: q) <= precision + 1e-12)
        for probability in rounded.rounded.probabilities {
            let units = probability * Double(rounded.unitCount)
            #expect(abs(units - units.rounded()) < 1e-9)
        }
    }

    /// Σ_j 1/Σ_i max(p_i/p_j, q_i/q_j) as printed.
    static func printedGumbel(_ p: FiniteDistribution, _ q: FiniteDistribution) -> Double {
        p.probabilities.indices.filter { p[$0] > 0 && q[$0] > 0 }.reduce(0) { total, j in
            total + 1 / p.probabilities.indices.reduce(0.0) { $0 + max(p[$1] / p[j], q[$1] / q[j]) }
        }
    }

    @Test("closed forms: as printed, above the bound, below 1 - D", arguments: 0..<200 as Range<UInt64>)
    func closedForms(seed: UInt64) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let distance = try p.totalVariation(to: q)
        let bound = CommunicationFreeBound.matchProbability(totalVariation: distance)
        let gumbel = try GumbelCoupling.matchProbability(draft: p, target: q)
        let minHash = try WeightedMinHashCoupling.matchProbability(draft: p, target: q)
        #expect(abs(gumbel - Self.printedGumbel(p, q)) < 1e-12)
        for probability in [gumbel, minHash] {
            #expect(probability >= bound - 1e-12)
            #expect(probability <= 1 - distance + 1e-12)
        }
    }

    @Test("Theorem 3's family: total variation 1/d, and Gumbel meets the bound on it", arguments: [1, 2, 3, 10])
    func worstCase(d: Int) throws {
        let family = try CommunicationFreeBound.worstCaseFamily(d: d)
        for (i, p) in family.enumerated() {
            for q in family[(i + 1)...] {
                #expect(abs(try p.totalVariation(to: q) - 1 / Double(d)) < 1e-12)
                let bound = CommunicationFreeBound.matchProbability(totalVariation: 1 / Double(d))
                #expect(abs(try GumbelCoupling.matchProbability(draft: p, target: q) - bound) < 1e-12)
                #expect(abs(try WeightedMinHashCoupling.matchProbability(draft: p, target: q) - bound) < 1e-12)
            }
        }
        #expect(throws: CouplingError.self) { try CommunicationFreeBound.worstCaseFamily(d: 0) }
    }
}
