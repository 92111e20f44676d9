import Couplings
import FiniteAlphabets
import Testing

@Suite("Drafts without replacement, greedy, different and dependent")
struct DraftSchemeTests {
    /// As in `RuleLawTests`: 1e-9 is 10⁵ times the rounding of a sum of 6⁴ products.
    static let tolerance = RuleLawTests.tolerance

    /// α* by the definition: the least of 1 + q(H) - P(all drafts in H) over all subsets of the vocabulary.
    private func optimumBySubsets(_ problem: MultiDraftProblem, _ law: [[Int]: Double]) -> Double {
        (0..<1 << problem.vocabularySize).map { bits -> Double in
            let target = (0..<problem.vocabularySize).reduce(0.0) { bits >> $1 & 1 == 1 ? $0 + problem.target[$1] : $0 }
            return 1 + target - law.reduce(0) { $1.key.allSatisfy { bits >> $0 & 1 == 1 } ? $0 + $1.value : $0 }
        }.min() ?? 1
    }

    /// p_draft by chaining the laws of one draft after the other.
    private func tuples(_ problem: MultiDraftProblem) throws -> [[Int]: Double] {
        var law: [[Int]: Double] = [[]: 1]
        for _ in 0..<problem.draftCount {
            var next: [[Int]: Double] = [:]
            for (earlier, probability) in law {
                guard let draft = try problem.nextDraft(after: earlier) else { continue }
                for token in 0..<problem.vocabularySize where draft[token] > 0 {
                    next[earlier + [token], default: 0] += probability * draft[token]
                }
            }
            law = next
        }
        return law
    }

    private func jointProblem(_ generator: inout RandomStream, target: FiniteDistribution, n: Int) throws
        -> MultiDraftProblem
    {
        let pairs = (0..<12).map { _ in
            (
                tuple: (0..<n).map { _ in Int.random(in: 0..<target.count, using: &generator) },
                probability: Double.random(in: 0..<1, using: &generator)
            )
        }
        let sum = pairs.reduce(0) { $0 + $1.probability }
        return try MultiDraftProblem(
            target: target,
            joint: JointDraftLaw(
                pairs.map { ($0.tuple, $0.probability / sum) }, vocabularySize: target.count))
    }

    private func check(
        _ problem: MultiDraftProblem, _ rules: [(name: String, rule: any MultiDraftRule, isOptimal: Bool)]
    )
        throws
    {
        let law = try tuples(problem)
        #expect(abs(law.values.reduce(0, +) - 1) < Self.tolerance)
        let optimum = try OptimalAcceptance(problem)
        #expect(abs(optimum.value - optimumBySubsets(problem, law)) < Self.tolerance)
        // H* is a set at which the least is reached.
        let inside = law.reduce(0) { $1.key.allSatisfy { optimum.isInMinimiser[$0] } ? $0 + $1.value : $0 }
        let target = problem.target.probabilities.indices.reduce(0.0) {
            optimum.isInMinimiser[$1] ? $0 + problem.target[$1] : $0
        }
        #expect(abs(1 + target - inside - optimum.value) < Self.tolerance)
        for (name, rule, isOptimal) in rules {
            #expect(TestProblems.l1(try rule.outputLaw(), problem.target.probabilities) < Self.tolerance, "\(name)")
            let acceptance = try rule.acceptance()
            #expect(abs(acceptance - (try rule.enumeratedAcceptance())) < Self.tolerance, "\(name)")
            #expect(acceptance < optimum.value + Self.tolerance, "\(name)")
            if isOptimal { #expect(abs(acceptance - optimum.value) < Self.tolerance, "\(name)") }
        }
    }

    @Test(
        "without replacement, and any joint law: exact, and the transports reach α*",
        arguments: 0..<40 as Range<UInt64>, 1...3)
    func dependent(seed: UInt64, n: Int) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        var generator = TestProblems.stream(seed, 1)
        for problem in [
            try MultiDraftProblem(target: q, draft: p, count: n, scheme: .withoutReplacement),
            try jointProblem(&generator, target: q, n: n),
        ] {
            try check(
                problem,
                [
                    ("recursive", DependentRejectionRule(problem), false), ("naive", try NaiveRule(problem), false),
                    ("max-flow", try MaxFlowTransport(problem), true),
                    ("reduced max-flow", try MaxFlowTransport(problem, network: .reduced), true),
                    ("canonical", try CanonicalDecomposition(problem), true),
                    ("linear program", try LinearProgramTransport(problem, solver: DenseSimplex()), true),
                ])
        }
    }

    @Test("greedy drafts: the closed form reaches α*", arguments: 0..<40 as Range<UInt64>, 1...4)
    func greedy(seed: UInt64, n: Int) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let problem = try MultiDraftProblem(target: q, draft: p, count: n, scheme: .greedy)
        try check(
            problem,
            [
                ("greedy", try GreedyDraftsRule(problem), true), ("max-flow", try MaxFlowTransport(problem), true),
                ("recursive", try RecursiveRejectionRule(problem), false),
                ("importance", try ImportanceWeightedRule(problem), problem.draftCount == 2),
                ("canonical", try CanonicalDecomposition(problem), true),
            ])
    }

    @Test(
        "different drafts of a vocabulary too large for its subsets: the least cut is the max-flow",
        arguments: 0..<8 as Range<UInt64>)
    func leastCut(seed: UInt64) throws {
        var generator = TestProblems.stream(seed)
        func law() throws -> FiniteDistribution { try TestProblems.distribution(&generator, count: 60) }
        let problem = try MultiDraftProblem(target: law(), drafts: [law(), law()])
        let optimum = try OptimalAcceptance(problem).value
        for network in [MaxFlowTransport.Network.whole, .reduced] {
            #expect(abs(try MaxFlowTransport(problem, network: network).acceptance() - optimum) < Self.tolerance)
        }
    }

    @Test(
        "drafting once saves repeated tokens: α* is not less than of independent drafts, and there are as many as tokens"
    )
    func gain() throws {
        let q = try FiniteDistribution([0.4, 0.3, 0.2, 0.1])
        let p = try FiniteDistribution([0.7, 0.1, 0.1, 0.1])
        func optimum(_ scheme: DraftScheme, _ count: Int) throws -> Double {
            try OptimalAcceptance(MultiDraftProblem(target: q, draft: p, count: count, scheme: scheme)).value
        }
        #expect(try optimum(.withoutReplacement, 2) > optimum(.independent, 2) + 0.05)
        let all = try MultiDraftProblem(target: q, draft: p, count: 9, scheme: .withoutReplacement)
        #expect(all.draftCount == 4)
        #expect(abs(try DependentRejectionRule(all).acceptance() - 1) < Self.tolerance)
    }

    @Test("drafts drawn once, verified as if they were independent, do not follow the target")
    func negativeControl() throws {
        let q = try FiniteDistribution([0.4, 0.3, 0.2, 0.1])
        let p = try FiniteDistribution([0.7, 0.1, 0.1, 0.1])
        let distinct = try MultiDraftProblem(target: q, draft: p, count: 2, scheme: .withoutReplacement)
        let wrong = try RecursiveRejectionRule(MultiDraftProblem(target: q, draft: p, count: 2))
        var law = Array(repeating: 0.0, count: 4)
        for (tuple, probability) in try tuples(distinct) {
            let outcome = wrong.outcome(for: tuple)
            for (token, taking) in zip(tuple, outcome.taking) { law[token] += probability * taking }
            let left = probability * (1 - outcome.taking.reduce(0, +))
            for token in 0..<4 { law[token] += left * (outcome.residual?[token] ?? 0) }
        }
        #expect(TestProblems.l1(law, q.probabilities) > 0.02)
    }

    @Test("draws follow the law of the tuples", arguments: DraftScheme.allCases)
    func draws(scheme: DraftScheme) throws {
        let p = try FiniteDistribution([0.5, 0.3, 0.15, 0.05])
        let problem = try MultiDraftProblem(target: p, draft: p, count: 2, scheme: scheme)
        var generator = TestProblems.stream(5)
        let (law, draws) = (try tuples(problem), 20_000)
        var counts: [[Int]: Double] = [:]
        for _ in 0..<draws { counts[problem.drawDrafts(randomness: &generator), default: 0] += 1 }
        #expect(Set(counts.keys).isSubset(of: law.keys))
        for (tuple, probability) in law {
            // Five standard errors of a frequency.
            let error = (probability * (1 - probability) / Double(draws)).squareRoot()
            #expect(abs((counts[tuple] ?? 0) / Double(draws) - probability) < 5 * error + 1e-12)
        }
    }

    @Test(
        "every rule takes the schemes it says and refuses the others", arguments: CouplingRule.allCases,
        DraftScheme.allCases)
    func schemes(rule: CouplingRule, scheme: DraftScheme) throws {
        guard rule.choosesAmongDrafts else { return }
        let q = try FiniteDistribution([0.4, 0.3, 0.2, 0.1])
        let p = try FiniteDistribution([0.1, 0.2, 0.3, 0.4])
        let problem = try MultiDraftProblem(target: q, draft: p, count: 3, scheme: scheme)
        if rule.accepts(scheme) {
            let made = try #require(try CouplingParameters().multiDraftRule(rule, problem))
            #expect(TestProblems.l1(try made.outputLaw(), q.probabilities) < Self.tolerance)
        } else {
            #expect(throws: CouplingError.self) { _ = try CouplingParameters().multiDraftRule(rule, problem) }
        }
    }

    @Test("laws that are none are refused")
    func refusals() throws {
        let q = try FiniteDistribution(uniformOver: 3)
        #expect(throws: CouplingError.wrongDraftCount(expected: 2, found: 1)) {
            try JointDraftLaw([([0, 1], 0.5), ([2], 0.5)], vocabularySize: 3)
        }
        #expect(throws: CouplingError.tokenOutOfRange(name: "joint law of the drafts", token: 3, vocabularySize: 3)) {
            try JointDraftLaw([([0, 3], 1)], vocabularySize: 3)
        }
        #expect(throws: CouplingError.self) { try JointDraftLaw([], vocabularySize: 3) }
        #expect(throws: CouplingError.self) { try JointDraftLaw([([], 1)], vocabularySize: 3) }
        let larger = try JointDraftLaw([([0, 4], 1)], vocabularySize: 5)
        #expect(throws: CouplingError.tokenOutOfRange(name: "joint law", token: 4, vocabularySize: 3)) {
            try MultiDraftProblem(target: q, joint: larger)
        }
        let joint = try MultiDraftProblem(target: q, joint: JointDraftLaw([([0, 1], 1)], vocabularySize: 3))
        #expect(throws: CouplingError.draftsDependent(rule: "importance")) { try ImportanceWeightedRule(joint) }
        #expect(throws: CouplingError.draftsDependent(rule: "greedy")) { try GreedyDraftsRule(joint) }
        let drawn = try MultiDraftProblem(target: q, draft: q, count: 2)
        #expect(throws: CouplingError.draftsNotCertain(rule: "greedy")) { try GreedyDraftsRule(drawn) }
    }
}
