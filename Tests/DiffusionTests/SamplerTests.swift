import Couplings
import Diffusion
import Foundation
import Synchronization
import Testing

/// The sampler's bookkeeping: what it asks the network for, and that nothing depends on company.
@Suite("The speculative loop")
struct SamplerTests {
    /// Counts what a denoiser is asked.
    final class CountingDenoiser: Denoiser {
        let base: any Denoiser
        let calls = Mutex<[[DenoiserQuery]]>([])

        init(_ base: any Denoiser) { self.base = base }
        var dimension: Int { base.dimension }
        func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
            calls.withLock { $0.append(queries) }
            return try base.denoised(queries)
        }
    }

    static func counted(steps: Int, churn: Double = 0.5, guidance: Double = 0) throws -> (
        CountingDenoiser, DenoisingChain
    ) {
        let schedule = CosineSchedule()
        let mixture = try GaussianMixture(
            components: [
                .init(mean: [1, 0, 0], standardDeviation: 0.2), .init(mean: [-1, 1, 0.5], standardDeviation: 0.3),
            ], schedule: schedule)
        let counter = CountingDenoiser(mixture)
        let grid = try TimeGrid(.uniform, steps: steps, schedule: schedule)
        let chain = try DenoisingChain(
            denoiser: counter, steps: ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: churn),
            guidance: guidance)
        return (counter, chain)
    }

    static let drafts: [any Draft] = [
        FrozenDraft(), FrozenDenoiserDraft(), RecycledDraft(order: .zeroth), RecycledDraft(),
    ]

    static func finals(_ sampler: some Sampler, _ samples: Range<Int>, lanes: Int) throws -> [Int: SampleState] {
        var states: [Int: SampleState] = [:]
        try sampler.run(samples: samples, lanes: lanes) { states[$0.sample] = $0 }
        return states
    }

    /// A draft that is no number is named, and not the target that would be asked there.
    @Test func aDraftWithoutFiniteMeansIsNamed() throws {
        struct Broken: RecyclingDraft {
            func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
                window.currentState.map { _ in .nan }
            }
        }
        let chain = try Self.counted(steps: 4).1
        let sampler = try SpeculativeSampler(chain: chain, draft: Broken(), window: 2, random: RandomSource(seed: 3))
        let error = #expect(throws: DiffusionError.self) { try Self.finals(sampler, 0..<1, lanes: 1) }
        #expect(error?.subject.contains("draft") == true)
    }

    /// What is reported as NFE and evaluations is what the network saw.
    @Test(arguments: [(1, 0.0), (5, 0.0), (5, 2.0)])
    func costsAreWhatTheNetworkSaw(window: Int, guidance: Double) throws {
        for draft in Self.drafts {
            let (counter, chain) = try Self.counted(steps: 20, guidance: guidance)
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: window, random: RandomSource(seed: 3))
            let alone = try #require(try Self.finals(sampler, 0..<1, lanes: 1)[0])
            #expect(alone.cost.calls == counter.calls.withLock { $0.count })
            #expect(alone.cost.evaluations == counter.calls.withLock { $0.reduce(0) { $0 + $1.count } })
            #expect(alone.cost.accepted + alone.cost.rejected == 20)
            #expect(alone.cost.calls <= 21)

            counter.calls.withLock { $0 = [] }
            var (calls, rows) = (0, 0)
            try sampler.run(samples: 0..<7, lanes: 3) { info, _ in
                calls += info.calls
                rows += info.rows
            } onFinished: { _ in
            }
            #expect(calls == counter.calls.withLock { $0.count })
            #expect(rows == counter.calls.withLock { $0.reduce(0) { $0 + $1.count } })
        }
    }

    /// Pinned noise: a sample is the same, to the bit, whatever runs beside it.
    @Test func aSampleDoesNotDependOnItsCompany() throws {
        for draft in Self.drafts {
            let (_, chain) = try Self.counted(steps: 15)
            let sampler = try SpeculativeSampler(chain: chain, draft: draft, window: 6, random: RandomSource(seed: 4))
            let alone = try #require(try Self.finals(sampler, 37..<38, lanes: 1)[37])
            let together = try #require(try Self.finals(sampler, 0..<64, lanes: 9)[37])
            #expect(alone.state == together.state)
            #expect(alone.cost == together.cost)
        }
    }

    /// The same for windows chosen on the way; and their plain steps are booked as what they cost.
    @Test func chosenWindowsDependOnTheirOwnSampleAlone() throws {
        let policies: [any WindowPolicy] = [
            try AdaptiveWindow(cost: .perRow(0.02)), try AdaptiveWindow(cost: .perRow(0.3), longest: 6),
            FallbackWindow(try FixedWindow(4), leastAcceptance: 0.7),
        ]
        for policy in policies {
            for draft in Self.drafts {
                let (counter, chain) = try Self.counted(steps: 60)
                let sampler = SpeculativeSampler(
                    chain: chain, draft: draft, window: policy, random: RandomSource(seed: 4))
                let alone = try #require(try Self.finals(sampler, 37..<38, lanes: 1)[37])
                #expect(alone.cost.calls == counter.calls.withLock { $0.count })
                #expect(alone.cost.evaluations == counter.calls.withLock { $0.reduce(0) { $0 + $1.count } })
                #expect(alone.cost.accepted + alone.cost.rejected + alone.cost.plainSteps == 60)
                let together = try #require(try Self.finals(sampler, 30..<45, lanes: 9)[37])
                #expect(alone.state == together.state)
                #expect(alone.cost == together.cost)
            }
        }
    }

    /// The plain sampler's noise is the speculative one's: where every draft is accepted, both end in the same state.
    @Test func aPerfectDraftTakesOneCallAWindow() throws {
        struct PerfectDraft: Draft {
            var recyclesTarget: Bool { false }
            func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
                let queries = windows.map {
                    ChainQuery(sample: $0.sample, step: $0.currentStep, state: $0.currentState)
                }
                return zip(queries, try chain.predictions(for: queries)).map {
                    chain.mean(step: $0.step, state: $0.state, prediction: $1)
                }
            }
        }
        let (_, chain) = try Self.counted(steps: 20)
        let random = RandomSource(seed: 5)
        let plain = try Self.finals(SequentialSampler(chain: chain, random: random), 0..<5, lanes: 5)
        let sampler = try SpeculativeSampler(chain: chain, draft: PerfectDraft(), window: 7, random: random)
        for (index, sample) in try Self.finals(sampler, 0..<5, lanes: 2) {
            #expect(sample.cost.calls == 3)
            #expect(sample.cost.evaluations == 20)
            #expect(sample.cost.rejected == 0)
            #expect(sample.state == plain[index]?.state)
        }
    }

    /// Without noise there is nothing to couple: every step is the target's mean, and the path is plain sampling's.
    @Test func withoutChurnThePathIsThePlainOne() throws {
        let (_, chain) = try Self.counted(steps: 12, churn: 0)
        let random = RandomSource(seed: 6)
        let plain = try Self.finals(SequentialSampler(chain: chain, random: random), 0..<3, lanes: 3)
        for draft in Self.drafts {
            let sampler = try SpeculativeSampler(chain: chain, draft: draft, window: 4, random: random)
            for (index, sample) in try Self.finals(sampler, 0..<3, lanes: 3) {
                #expect(sample.state == plain[index]?.state)
                #expect(sample.cost.accepted == 0 && sample.cost.rejected == 0)
            }
        }
    }

    @Test func aNetworkThatAnswersNaNIsNamed() throws {
        struct Broken: Denoiser {
            let dimension = 2
            func denoised(_ queries: [DenoiserQuery]) -> [[Double]] { queries.map { _ in [0, .nan] } }
        }
        let schedule = CosineSchedule()
        let grid = try TimeGrid(.uniform, steps: 3, schedule: schedule)
        let chain = try DenoisingChain(
            denoiser: Broken(), steps: ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 1))
        let sampler = SequentialSampler(chain: chain, random: RandomSource(seed: 0))
        let error = #expect(throws: DiffusionError.self) { try sampler.run(samples: 0..<1, lanes: 1) { _ in } }
        #expect(error?.description.contains("sample 0 at step 0") == true)
    }

    @Test func impossibleSamplersAreRefused() throws {
        let (_, chain) = try Self.counted(steps: 3)
        #expect(throws: DiffusionError.self) {
            try SpeculativeSampler(chain: chain, draft: FrozenDraft(), window: 0, random: RandomSource(seed: 0))
        }
        let (_, longer) = try Self.counted(steps: 4)
        #expect(throws: DiffusionError.self) { try IndependentDraft(model: longer, target: chain) }
    }
}
