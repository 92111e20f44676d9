import Couplings
import Diffusion
import Testing

@Suite("Choosing the window")
struct WindowPolicyTests {
    /// A model of quite other data: nearly every draft of it is rejected.
    static func hopeless(for chain: DenoisingChain) throws -> any Draft {
        let other = try GaussianMixture(
            components: [.init(mean: [40, -40, 40], standardDeviation: 0.1)], schedule: CosineSchedule())
        return try IndependentDraft(model: DenoisingChain(denoiser: other, steps: chain.steps), target: chain)
    }

    static func costs(_ policy: any WindowPolicy, _ draft: any Draft, _ chain: DenoisingChain) throws -> SamplingCost {
        let sampler = SpeculativeSampler(chain: chain, draft: draft, window: policy, random: RandomSource(seed: 8))
        return try #require(try SamplerTests.finals(sampler, 0..<1, lanes: 1)[0]).cost
    }

    /// Where drafts have no chance, the rows beyond plain sampling's are few: one window of 10
    /// and four of at most 8 to find out, and up to five such after 8, 8, 16 and 32 plain steps.
    @Test func fallsBackWhereDraftsHaveNoChance() throws {
        let (_, chain) = try SamplerTests.counted(steps: 120)
        let draft = try Self.hopeless(for: chain)
        let cost = try Self.costs(FallbackWindow(try FixedWindow(10)), draft, chain)
        #expect(cost.plainSteps > 90)
        #expect(cost.evaluations < 120 + 10 + (4 + 4 * 5) * 8)
        #expect(try Self.costs(FixedWindow(10), draft, chain).evaluations > 1000)
        let adaptive = try Self.costs(AdaptiveWindow(cost: .perRow(0.1)), draft, chain)
        #expect(adaptive.plainSteps > 60 && adaptive.evaluations < 300)
    }

    /// Where rows cost as much as calls nothing can pay, and nothing is tried; where they are free and drafts good, the
    /// window grows to all there is.
    @Test func followsThePriceOfARow() throws {
        let (_, chain) = try SamplerTests.counted(steps: 120)
        let dear = try Self.costs(AdaptiveWindow(cost: .perRow(1)), RecycledDraft(), chain)
        #expect(dear.plainSteps == 120 && dear.evaluations == 120 && dear.calls == 120)

        let free = try Self.costs(AdaptiveWindow(cost: .perRow(0), longest: 60), RecycledDraft(), chain)
        let cheap = try Self.costs(AdaptiveWindow(cost: .perRow(0.05), longest: 60), RecycledDraft(), chain)
        let fixed = try Self.costs(FixedWindow(60), RecycledDraft(), chain)
        #expect(free.calls == fixed.calls && free.evaluations == fixed.evaluations)
        #expect(cheap.evaluations < free.evaluations && cheap.calls < 60)
        // The fallback leaves alone what works.
        #expect(try Self.costs(FallbackWindow(try FixedWindow(60)), RecycledDraft(), chain) == fixed)
    }

    @Test func impossibleWindowsAreRefused() {
        #expect(throws: DiffusionError.self) { try FixedWindow(0) }
        #expect(throws: DiffusionError.self) { try AdaptiveWindow(cost: .perRow(0), longest: 0) }
    }
}
