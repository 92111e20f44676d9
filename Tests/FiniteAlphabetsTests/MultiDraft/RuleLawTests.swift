import FiniteAlphabets
import Testing

@Suite("Every multi-draft rule's exact law")
struct RuleLawTests {
    struct Named: Sendable {
        let name: String
        let make: @Sendable (MultiDraftProblem) throws -> any MultiDraftRule
        /// Reaches α* for any n.
        let isOptimal: Bool
    }

    static let exactRules: [Named] = [
        Named(name: "naive", make: { try NaiveRule($0) }, isOptimal: false),
        Named(name: "K-SEQ", make: { try KSequentialRule($0) }, isOptimal: false),
        Named(name: "recursive rejection", make: { try RecursiveRejectionRule($0) }, isOptimal: false),
        Named(name: "importance", make: { try ImportanceWeightedRule($0) }, isOptimal: false),
        Named(
            name: "importance, s = 2", make: { try ImportanceWeightedRule($0, method: .truncated(freeTokens: 2)) },
            isOptimal: false),
        Named(
            name: "importance, 2 likeliest",
            make: { try ImportanceWeightedRule($0, method: .truncatedVocabulary(likeliest: 2, freeTokens: 3)) },
            isOptimal: false),
        Named(
            name: "hybrid",
            make: { try HybridRule($0) { problem throws(CouplingError) in try RecursiveRejectionRule(problem) } },
            isOptimal: false),
        Named(name: "max-flow", make: { try MaxFlowTransport($0, network: .whole) }, isOptimal: true),
        Named(name: "reduced max-flow", make: { try MaxFlowTransport($0, network: .reduced) }, isOptimal: true),
        Named(name: "canonical", make: { try CanonicalDecomposition($0) }, isOptimal: true),
        Named(
            name: "linear program", make: { try LinearProgramTransport($0, solver: DenseSimplex()) }, isOptimal: true),
    ]

    /// 1e-9 is 10⁵ times the rounding of a sum of 6⁴ products.
    static let tolerance = 1e-9

    @Test("output law is the target's, acceptance between naive and α*", arguments: 0..<60 as Range<UInt64>, 1...4)
    func exactRules(seed: UInt64, n: Int) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let problem = try MultiDraftProblem(target: q, draft: p, count: n)
        let optimum = try OptimalAcceptance(problem).value
        let naive = try NaiveRule(problem).acceptance()
        for rule in Self.exactRules {
            let made = try rule.make(problem)
            #expect(TestProblems.l1(try made.outputLaw(), q.probabilities) < Self.tolerance, "\(rule.name)")
            let acceptance = try made.acceptance()
            #expect(abs(acceptance - (try made.enumeratedAcceptance())) < Self.tolerance, "\(rule.name)")
            #expect(acceptance < optimum + Self.tolerance, "\(rule.name)")
            #expect(acceptance > naive - Self.tolerance, "\(rule.name)")
            if rule.isOptimal || n == 1 || (n == 2 && rule.name == "importance") {
                #expect(abs(acceptance - optimum) < Self.tolerance, "\(rule.name)")
            }
        }
    }

    @Test("global resolution that cannot afford its last gradient: within 15τ of the target and 10τ of α*")
    func truncatedResolution() throws {
        let tau = 0.02
        var inexact = 0
        for seed in 0..<20 as Range<UInt64> {
            let (q, p) = try ZipfPair.make(size: 60, exponent: 2.5, seed: seed)
            let problem = try MultiDraftProblem(target: q, draft: p, count: 2)
            let rule = try GlobalResolution(problem, configuration: .init(tolerance: tau, maximumWork: 300))
            #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) <= 15 * tau)
            #expect(try rule.acceptance() <= rule.optimum + 10 * tau)
            if rule.earlyTermination == nil {
                #expect(try rule.acceptance() >= rule.optimum - 10 * tau)
                if !rule.isExact { inexact += 1 }
            }
        }
        #expect(inexact >= 5)
    }

    @Test("global resolution is exact, and within 10τ of α*", arguments: 0..<60 as Range<UInt64>, 1...4)
    func globalResolution(seed: UInt64, n: Int) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let problem = try MultiDraftProblem(target: q, draft: p, count: n)
        for tau in [1e-2, 1e-4] {
            let rule = try GlobalResolution(problem, configuration: .init(tolerance: tau))
            let optimum = try OptimalAcceptance(problem).value
            #expect(rule.earlyTermination == nil)
            #expect(rule.isExact)
            #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) < Self.tolerance)
            #expect(try rule.acceptance() <= optimum + Self.tolerance)
            #expect(try rule.acceptance() >= NaiveRule(problem).acceptance() - Self.tolerance)
            // A single draft needs no minimisation.
            #expect(try rule.acceptance() >= optimum - (n == 1 ? 0 : 10 * tau) - Self.tolerance)
            #expect(abs(try rule.acceptance() - rule.enumeratedAcceptance()) < Self.tolerance)
        }
    }

    @Test("a fallback is exact too, and is counted")
    func fallback() throws {
        let q = try FiniteDistribution([0.1, 0.2, 0.3, 0.4])
        let p = try FiniteDistribution([0.4, 0.3, 0.2, 0.1])
        let problem = try MultiDraftProblem(target: q, draft: p, count: 3)
        let rule = try GlobalResolution(problem, configuration: .init(tolerance: 1e-9, maximumIterations: 0))
        guard case .notConverged = rule.earlyTermination else {
            Issue.record("expected early termination, found \(String(describing: rule.earlyTermination))")
            return
        }
        let small = try GlobalResolution(problem, configuration: .init(maximumWork: 1))
        guard case .tooLarge = small.earlyTermination else {
            Issue.record("expected a system too large, found \(String(describing: small.earlyTermination))")
            return
        }
        #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) < Self.tolerance)
    }

    @Test("many drafts from few tokens: α* is reached, and what is too much is said")
    func manyDrafts() throws {
        let q = try FiniteDistribution([0.9, 0.05, 0.05])
        let p = try FiniteDistribution([0.01, 0.49, 0.5])
        let problem = try MultiDraftProblem(target: q, draft: p, count: 40)
        let optimum = try OptimalAcceptance(problem).value
        #expect(abs(try MaxFlowTransport(problem).acceptance() - optimum) < Self.tolerance)
        #expect(try RecursiveRejectionRule(problem).acceptance() < optimum + Self.tolerance)
        let wide = try MultiDraftProblem(target: .init(uniformOver: 40), draft: .init(uniformOver: 40), count: 60)
        let rule = try GlobalResolution(wide)
        guard case .tooLarge = rule.earlyTermination else {
            Issue.record("expected a system too large, found \(String(describing: rule.earlyTermination))")
            return
        }
    }

    @Test("different drafts: optimum by subsets equals the max-flow", arguments: 0..<40 as Range<UInt64>, 1...3)
    func differentDrafts(seed: UInt64, n: Int) throws {
        var generator = TestProblems.stream(seed)
        let count = Int.random(in: 2...5, using: &generator)
        let q = try TestProblems.distribution(&generator, count: count)
        let problem = try MultiDraftProblem(
            target: q, drafts: (0..<n).map { _ in try TestProblems.distribution(&generator, count: count) })
        let optimum = try OptimalAcceptance(problem).value
        let rules: [any MultiDraftRule] = [
            try MaxFlowTransport(problem, network: .whole), try MaxFlowTransport(problem),
            try ImportanceWeightedRule(problem),
            try RecursiveRejectionRule(problem), try NaiveRule(problem),
        ]
        for rule in rules {
            #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) < Self.tolerance)
            #expect(try rule.acceptance() < optimum + Self.tolerance)
        }
        #expect(abs(try rules[0].acceptance() - optimum) < Self.tolerance)
        #expect(abs(try rules[1].acceptance() - optimum) < Self.tolerance)
        if n == 2 { #expect(abs(try rules[2].acceptance() - optimum) < Self.tolerance) }
    }
}
