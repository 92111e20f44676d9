import FiniteAlphabets
import Testing
import Verification

@Suite("Monte Carlo sampling of every multi-draft rule")
struct RuleSamplingTests {
    static let draws = 20_000

    static func empirical(_ rule: some MultiDraftRule, seed: UInt64) throws -> (law: [Double], acceptance: Double) {
        var generator = TestProblems.stream(seed)
        var law = Array(repeating: 0.0, count: rule.problem.vocabularySize)
        var accepted = 0
        for _ in 0..<draws {
            let drafts = rule.problem.drawDrafts(randomness: &generator)
            let selection = try rule.select(from: drafts, randomness: &generator)
            law[selection.token] += 1 / Double(draws)
            if selection.isAccepted {
                accepted += 1
                #expect(drafts.contains(selection.token))
            }
        }
        return (law, Double(accepted) / Double(draws))
    }

    @Test(
        "within total variation 0.04 of the target, accepting as often as said", arguments: [1, 2, 3, 7] as [UInt64],
        [2, 3])
    func sampling(seed: UInt64, n: Int) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let problem = try MultiDraftProblem(target: q, draft: p, count: n)
        let globalResolution = RuleLawTests.Named(
            name: "global resolution", make: { try GlobalResolution($0) }, isOptimal: true)
        for named in RuleLawTests.exactRules + [globalResolution] {
            let rule = try named.make(problem)
            let (law, acceptance) = try Self.empirical(rule, seed: seed)
            #expect(TestProblems.l1(law, q.probabilities) / 2 < 0.04, "\(named.name)")
            // Six standard errors of a frequency near one half.
            #expect(
                abs(acceptance - (try rule.acceptance())) < 6 * 0.5 / Double(Self.draws).squareRoot(), "\(named.name)")
        }
    }

    @Test("the wrong rule is outside, by sampling and by its exact law")
    func negativeControl() throws {
        let q = try FiniteDistribution([0.7, 0.2, 0.1])
        let p = try FiniteDistribution([0.2, 0.2, 0.6])
        let rule = try ResamplingRule(MultiDraftProblem(target: q, draft: p, count: 2))
        #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) > 0.1)
        #expect(TestProblems.l1(try Self.empirical(rule, seed: 1).law, q.probabilities) / 2 > 0.04)
    }
}
