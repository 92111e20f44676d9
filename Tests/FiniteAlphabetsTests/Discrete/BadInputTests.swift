import FiniteAlphabets
import Testing

@Suite("Bad input is named, never trapped on")
struct BadInputTests {
    @Test("distributions")
    func distributions() {
        #expect(throws: CouplingError.emptyDistribution(name: "q.json")) { try FiniteDistribution([], name: "q.json") }
        #expect(throws: CouplingError.negativeProbability(name: "distribution", index: 1, value: -0.5)) {
            try FiniteDistribution([1.5, -0.5])
        }
        #expect(throws: CouplingError.notFinite(name: "distribution", index: 2)) {
            try FiniteDistribution([0.5, 0.5, .nan])
        }
        #expect(throws: CouplingError.notFinite(name: "distribution", index: 0)) {
            try FiniteDistribution([.infinity, 0])
        }
        #expect(throws: CouplingError.doesNotSumToOne(name: "distribution", sum: 0.75)) {
            try FiniteDistribution([0.5, 0.25])
        }
        #expect(throws: CouplingError.self) { try FiniteDistribution(weights: [0, 0]) }
        #expect(throws: CouplingError.self) { try FiniteDistribution(uniformOver: 0) }
        #expect(throws: CouplingError.self) { try FiniteDistribution([1e308, 1e308]) }
    }

    @Test("problems and rules")
    func problems() throws {
        let q = try FiniteDistribution([0.5, 0.5])
        let p = try FiniteDistribution([0.2, 0.3, 0.5])
        #expect(throws: CouplingError.lengthsDiffer(name: "draft", count: 3, otherName: "target", otherCount: 2)) {
            try MultiDraftProblem(target: q, draft: p, count: 2)
        }
        func draftCount(_ value: Double) -> CouplingError {
            .parameterOutOfRange(name: "the number of drafts", value: value, expected: "from 1 to 4096")
        }
        #expect(throws: draftCount(0)) { try MultiDraftProblem(target: q, draft: q, count: 0) }
        #expect(throws: CouplingError.self) { try MultiDraftProblem(target: q, draft: q, count: .max) }
        #expect(throws: draftCount(-3)) { try MultiDraftProblem(target: q, draft: q, count: -3) }
        #expect(throws: draftCount(0)) { try MultiDraftProblem(target: q, drafts: []) }
        #expect(throws: CouplingError.self) { try MaximalCoupling(draft: p, target: q) }
        #expect(throws: CouplingError.self) { try GumbelCoupling.matchProbability(draft: p, target: q) }
        #expect(throws: CouplingError.self) { try GumbelCoupling.token(of: q, uniforms: [0.5]) }
        #expect(throws: CouplingError.self) { try WeightedMinHashCoupling.matchProbability(draft: p, target: q) }
        #expect(throws: CouplingError.self) { try LowCommunicationCoupling(draft: p, target: q) }
        #expect(throws: CouplingError.self) { try LowCommunicationCoupling(draft: q, target: q, precision: 0) }
        #expect(throws: CouplingError.self) { try LowCommunicationCoupling(draft: q, target: q, precision: .nan) }
        #expect(throws: CouplingError.self) { try DistributionDiscretization(q, precision: 1e-300) }

        let problem = try MultiDraftProblem(target: q, draft: q, count: 2)
        let rule = try MaxFlowTransport(problem)
        var generator = TestProblems.stream(0)
        #expect(throws: CouplingError.wrongDraftCount(expected: 2, found: 1)) {
            try rule.select(from: [0], randomness: &generator)
        }
        #expect(throws: CouplingError.tokenOutOfRange(name: "draft 1", token: 2, vocabularySize: 2)) {
            try rule.select(from: [0, 2], randomness: &generator)
        }
        #expect(throws: CouplingError.tokenOutOfRange(name: "draft", token: -1, vocabularySize: 2)) {
            try MaximalCoupling(draft: q, target: q).verify(-1, randomness: &generator)
        }
        for tau in [0, 1, -1, Double.nan] {
            #expect(throws: CouplingError.self) { try GlobalResolution(problem, configuration: .init(tolerance: tau)) }
        }
        #expect(throws: CouplingError.self) { try ImportanceWeightedRule(problem, method: .truncated(freeTokens: -1)) }
        let other = try FiniteDistribution([0.1, 0.9])
        let mixed = try MultiDraftProblem(target: q, drafts: [q, other])
        #expect(throws: CouplingError.draftsNotIdentical(rule: "K-SEQ")) { try KSequentialRule(mixed) }
        #expect(throws: CouplingError.draftsNotIdentical(rule: "global resolution")) { try GlobalResolution(mixed) }
    }

    @Test("problems too large say how large")
    func tooLarge() throws {
        let q = try FiniteDistribution(uniformOver: 1000)
        let problem = try MultiDraftProblem(target: q, draft: q, count: 4)
        #expect(throws: CouplingError.self) { try MaxFlowTransport(problem) }
        #expect(throws: CouplingError.self) { try NaiveRule(problem).outputLaw() }
        #expect(throws: CouplingError.self) { try LinearProgramTransport(problem, solver: DenseSimplex()) }
        let wide = try FiniteDistribution(uniformOver: 3000)
        #expect(throws: CouplingError.self) {
            try ImportanceWeightedRule(MultiDraftProblem(target: wide, draft: wide, count: 2))
        }
    }

    @Test("messages say which, where and what")
    func messages() {
        let message = CouplingError.negativeProbability(name: "q.json", index: 3, value: -0.1).description
        #expect(message.contains("q.json") && message.contains("3") && message.contains("-0.1"))
        #expect(CouplingError.doesNotSumToOne(name: "p.json", sum: 0.75).description.contains("0.75"))
    }
}
