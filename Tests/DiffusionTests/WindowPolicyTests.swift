import Couplings
import Diffusion
import Testing
import Verification

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

    /// Nothing but plain steps and, after each, a window.
    private struct Alternating: WindowPolicy {
        func length(after decided: DecidedSteps) -> Int { decided.plainRun == 0 ? 0 : 4 }
    }

    /// A plain step leaves its end unevaluated; with a prior a window may start there all the same, and what was answered
    /// one step before then belongs to no state of the window.
    @Test func windowsBeginAfterPlainSteps() throws {
        let chain = try AnalyticChains.mixture(prior: [0.2, 0])
        for draft in try AnalyticChains.drafts() {
            let sampler = SpeculativeSampler(
                chain: chain, draft: draft.draft, window: Alternating(), random: RandomSource(seed: 9))
            let finals = try SamplerTests.finals(sampler, 0..<50, lanes: 7)
            #expect(
                finals.count == 50 && finals.values.contains { $0.cost.plainSteps > 0 && $0.cost.accepted > 0 },
                "\(draft.name)")
        }
    }

    @Test func impossibleWindowsAreRefused() {
        #expect(throws: DiffusionError.self) { try FixedWindow(0) }
        #expect(throws: DiffusionError.self) { try AdaptiveWindow(cost: .perRow(0), longest: 0) }
    }
}
