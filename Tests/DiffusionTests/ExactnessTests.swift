import Couplings
import Diffusion
import Foundation
import Statistics
import Testing

/// A draft deliberately drawn from the wrong rule must be caught by the same test that passes the right ones.
@Suite("Speculative samples have the target's law")
struct ExactnessTests {
    /// 2-D, three components, K = 8 large steps: acceptance is low, so that repairs matter.
    static func chain(steps: Int = 8, churn: Double = 1) throws -> DenoisingChain {
        let schedule = CosineSchedule()
        let mixture = try GaussianMixture(
            components: [
                .init(mean: [1.5, 0], standardDeviation: 0.2), .init(mean: [-1, 1], standardDeviation: 0.15),
                .init(mean: [0, -1.2], standardDeviation: 0.1),
            ], schedule: schedule)
        let grid = try TimeGrid(.uniform, steps: steps, schedule: schedule)
        return try DenoisingChain(
            denoiser: mixture, steps: ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: churn))
    }

    static func finals(_ sampler: some Sampler, _ samples: Range<Int>) throws -> [[Double]] {
        var states: [[Double]] = []
        try sampler.run(samples: samples, lanes: 256) { states.append($0.state) }
        return states
    }

    static let directions = [[1, 1], [1, -1], [2, 1], [1, -2]].map { $0.map(Double.init) }
    static let count = 20_000
    /// Bonferroni over the configurations below, at a family-wise level of 1 %.
    static let level = 0.01 / 30

    static let plain: Result<[[Double]], any Error> = Result {
        let sampler = try SequentialSampler(chain: chain(), random: RandomSource(seed: 11))
        return try finals(sampler, 0..<count)
    }

    static func test(_ draft: any Draft, window: Int, rule: any VerificationRule) throws -> Double {
        let sampler = try SpeculativeSampler(
            chain: chain(), draft: draft, rule: rule, window: window, random: RandomSource(seed: 12))
        let speculative = try finals(sampler, 0..<count)
        return try MarginalTest.twoSample(speculative, plain.get(), directions: directions).pValue
    }

    static func drafts() throws -> [(String, any Draft)] {
        let target = try chain()
        let coarse = try GaussianMixture(
            components: [.init(mean: [0.2, 0], standardDeviation: 1)], schedule: CosineSchedule())
        return [
            ("frozen", FrozenDraft()), ("frozen-denoiser", FrozenDenoiserDraft()),
            ("recycled, zeroth", RecycledDraft(order: .zeroth)), ("recycled", RecycledDraft()),
            ("independent", try IndependentDraft(model: DenoisingChain(denoiser: coarse, steps: target.steps), target: target)),
        ]
    }

    @Test(arguments: [1, 2, 3, 8])
    func everyDraft(window: Int) throws {
        for (name, draft) in try Self.drafts() {
            let pValue = try Self.test(draft, window: window, rule: ReflectionCoupling())
            #expect(pValue > Self.level, "\(name), window \(window)")
        }
    }
}
