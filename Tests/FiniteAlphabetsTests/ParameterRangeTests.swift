import FiniteAlphabets
import Testing

@Suite("What parameters may be")
struct ParameterRangeTests {
    @Test("the ends of each range, and what is beyond them")
    func ends() {
        #expect(MultiDraftProblem.draftCounts.contains(1) && MultiDraftProblem.draftCounts.contains(4096))
        #expect(!MultiDraftProblem.draftCounts.contains(0) && !MultiDraftProblem.draftCounts.contains(4097))
        // Open at both ends, and closed above.
        #expect(!GlobalResolution.tolerances.contains(0) && !GlobalResolution.tolerances.contains(1))
        #expect(DistributionDiscretization.precisions.contains(1) && !DistributionDiscretization.precisions.contains(0))
        for range in [
            MultiDraftProblem.draftCounts, GlobalResolution.tolerances, DistributionDiscretization.precisions,
            DiscreteChannel.crossovers, DiscreteChannel.erasures, MetaConverse.errors, MetaConverse.rates,
            GaussianNeymanPearson.distances,
        ] {
            #expect(!range.contains(.nan) && !range.contains(-1) && !range.contains(.infinity), "\(range.name)")
        }
    }

    @Test("an error says what was expected and what was found")
    func errors() {
        let error = #expect(throws: CouplingError.self) { try DiscreteChannel.crossovers.check(1.5) }
        #expect(error?.description == "the crossover probability must be from 0 to 1, found 1.5")
    }

    /// Takes the first draft and says that it is not exact.
    private struct InexactRule: FixedResidualRule {
        let problem: MultiDraftProblem
        var residual: FiniteDistribution? { nil }
        var isExact: Bool { false }
        var earlyTermination: GlobalResolution.EarlyTermination? { .tooLarge(tokens: 7) }
        func takingProbabilities(of drafts: [Int]) -> [Double] { drafts.indices.map { $0 == 0 ? 1 : 0 } }
    }

    @Test("the hybrid rule is as exact as the rule it follows")
    func hybrid() throws {
        let three = try FiniteDistribution(uniformOver: 3)
        let large = try HybridRule(MultiDraftProblem(target: three, draft: three, count: 2)) {
            problem throws(CouplingError) in InexactRule(problem: problem)
        }
        #expect(!large.isExact && large.earlyTermination == .tooLarge(tokens: 7))
        let two = try FiniteDistribution(uniformOver: 2)
        let small = try HybridRule(MultiDraftProblem(target: two, draft: two, count: 2)) {
            problem throws(CouplingError) in InexactRule(problem: problem)
        }
        #expect(small.isExact && small.earlyTermination == nil)
    }
}
