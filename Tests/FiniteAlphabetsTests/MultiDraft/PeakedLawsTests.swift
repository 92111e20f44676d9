import FiniteAlphabets
import Testing

@Suite("Global resolution of peaked laws")
struct PeakedLawsTests {
    /// Almost all of the mass lies with a few tokens, and the exponents of the others spread over many orders of magnitude. A
    /// line search that goes too far lands on a plain there. 167 pairs for each of six kinds: 1,002.
    @Test("converges on every pair, within 10τ of α*", arguments: [2, 3], [2.5, 2.75, 3])
    func converges(n: Int, exponent: Double) throws {
        let tau = 1e-4
        for seed in 0..<167 as Range<UInt64> {
            let (q, p) = try ZipfPair.make(size: 100, exponent: exponent, seed: seed)
            let rule = try GlobalResolution(
                MultiDraftProblem(target: q, draft: p, count: n), configuration: .init(tolerance: tau))
            #expect(rule.earlyTermination == nil, "seed \(seed)")
            #expect(abs(try rule.acceptance() - rule.optimum) <= 10 * tau, "seed \(seed)")
        }
    }

    /// What takes its place after a failure is the best that takes little time: here the importance weights, which reach α* for
    /// two drafts, and not K-SEQ.
    @Test("after a failure the best quick rule follows")
    func fallback() throws {
        for seed in 0..<20 as Range<UInt64> {
            let (q, p) = try ZipfPair.make(size: 60, exponent: 1.2, seed: seed)
            let problem = try MultiDraftProblem(target: q, draft: p, count: 2)
            let rule = try GlobalResolution(problem, configuration: .init(maximumWork: 1))
            #expect(rule.earlyTermination != nil && rule.isExact)
            #expect(abs(try rule.acceptance() - rule.optimum) < 1e-9)
            #expect(try rule.acceptance() > KSequentialRule(problem).acceptance() + 1e-4)
            #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) < 1e-9)
        }
    }

    /// A vocabulary's size is no obstacle where target and draft have few tokens of it.
    @Test("rules work on the support")
    func support() throws {
        func law(_ masses: [Int: Double]) throws -> FiniteDistribution {
            try FiniteDistribution((0..<50_000).map { masses[$0] ?? 0 })
        }
        let q = try law([7: 0.5, 40_000: 0.3, 41_000: 0.2])
        let p = try law([7: 0.2, 40_000: 0.7, 49_999: 0.1])
        let problem = try MultiDraftProblem(target: q, draft: p, count: 2)
        let optimum = try OptimalAcceptance(problem).value
        let hybrid = try HybridRule(problem, smallVocabulary: 3) { problem throws(CouplingError) in
            try NaiveRule(problem)
        }
        let rules: [any MultiDraftRule] = [
            try ImportanceWeightedRule(problem), try GlobalResolution(problem), try MaxFlowTransport(problem),
            try LinearProgramTransport(problem, solver: DenseSimplex()), hybrid,
        ]
        for rule in rules {
            #expect(abs(try rule.acceptance() - optimum) < 1e-3, "\(type(of: rule))")
            #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) < 1e-9, "\(type(of: rule))")
        }
        // Different drafts, whose optimum is found by trying subsets.
        let other = try MultiDraftProblem(target: q, drafts: [p, law([41_000: 1])])
        #expect(abs(try OptimalAcceptance(other).value - MaxFlowTransport(other, network: .whole).acceptance()) < 1e-12)
    }
}
