import Couplings
import Diffusion
import Statistics
import Testing
import Verification

/// The exact rules besides the loop's own, with a fixed window and a chosen one, on every analytic chain; the suite
/// itself has the loop's own rule with every draft and window.
@Suite("The other exact rules keep the target's law")
struct RuleAndWindowTests {
    static let count = 20_000
    /// Bonferroni over 3 chains, 5 drafts and 3 rules with windows, at a family-wise level of 1 %.
    static let level = 0.01 / 45

    static func cells() throws -> [(name: String, rule: any VerificationRule, window: any WindowPolicy)] {
        // Shears are invertible, so that the projection sees everything.
        let projection = ProjectionCoupling(try RowSpaceProjector(matrix: [1, 3, 0, 1], columns: 2))
        let adaptive = try AdaptiveWindow(cost: .perRow(0.1), longest: 8)
        return [
            ("rejection, 3", RejectionCoupling(), try FixedWindow(3)),
            ("rejection, adaptive", RejectionCoupling(), adaptive),
            ("projection, 8", projection, try FixedWindow(8)),
        ]
    }

    static func finals(_ sampler: some Sampler) throws -> [[Double]] {
        var states: [[Double]] = []
        try sampler.run(samples: 0..<count, lanes: 256) { states.append($0.state) }
        return states
    }

    @Test(arguments: try AnalyticChains.all())
    func everyCellPasses(chain: ChainCase) throws { try Self.expectExactness(chain.chain, chain) }

    static func expectExactness(_ chain: some GaussianChain, _ own: ChainCase) throws {
        let plain = try finals(SequentialSampler(chain: chain, random: RandomSource(seed: 11)))
        for draft in own.drafts.prefix(5) {
            for cell in try cells() {
                let sampler = SpeculativeSampler(
                    chain: chain, draft: draft.draft, rule: cell.rule, window: cell.window,
                    random: RandomSource(seed: 12))
                let pValue = try MarginalTest.twoSample(finals(sampler), plain, directions: own.directions).pValue
                #expect(cell.rule.isExact && pValue > level, "\(own.name), \(draft.name), \(cell.name)")
            }
        }
    }
}
