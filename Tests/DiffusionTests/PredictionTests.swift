import Couplings
import Diffusion
import Foundation
import Testing

@Suite("Predicting what speculation saves")
struct PredictionTests {
    /// The sum behind (14), its printed closed form as a lower bound, and the edges.
    @Test(arguments: [0, 0.3, 0.9, 1 - 1e-12, 1])
    func decidedSteps(acceptance: Double) {
        for window in [1, 2, 7, 100] {
            let sum = (0..<window).reduce(0.0) { $0 + pow(acceptance, Double($1)) }
            let value = CostModel.decidedSteps(acceptance: acceptance, window: window)
            #expect(abs(value - sum) < 1e-9 * sum)
            let same = CostModel.decidedSteps(acceptances: repeatElement(acceptance, count: window))
            #expect(abs(same - sum) < 1e-9 * sum)
            let printed = 1 - pow(acceptance, Double(window)) + Double(window) * pow(acceptance, Double(window + 1))
            #expect(value >= printed - 1e-9)
        }
    }

    /// Jensen's bound holds for a spread of distances, and is met where they are equal. exp(-½E‖Δ‖²) is no such bound.
    @Test func leastAcceptance() {
        for spread in [0.0, 0.3, 1] {
            let distances = [1 - spread, 1, 1 + spread]
            let square = distances.reduce(0) { $0 + $1 * $1 } / 3
            let mean = distances.reduce(0) { $0 + maximalAcceptance(distance: $1) } / 3
            #expect(mean >= CostModel.leastAcceptance(meanSquaredDistance: square) - 1e-15)
        }
        #expect(maximalAcceptance(distance: 0.1) < exp(-0.1 * 0.1 / 2))
    }

    @Test func whetherItPays() throws {
        #expect(CostModel.costRatio(decidedSteps: 6, window: 10, draftCost: 0.1) == 3)
        #expect(!CostModel.pays(decidedSteps: 1.9, window: 10, draftCost: 0.1))
        #expect(CostModel.pays(decidedSteps: 1.1, window: 10, draftCost: 0))
        #expect(try CostModel.pays(decidedSteps: 2.2, window: 7, cost: .workers(4)))
        #expect(try !CostModel.pays(decidedSteps: 2.2, window: 8, cost: .workers(4)))
        let squared = CostModel.squaredDistance(duration: 0.01, churn: 1, squaredDiffusion: 2, squaredScoreError: 3)
        #expect(abs(squared - 0.06) < 1e-15)
    }

    @Test func costsOfCalls() throws {
        let measured = try CallCost.measured([(1, 2), (2, 3), (4, 2.5), (8, 7)])
        for (rows, expected) in [(1, 1.0), (2, 1.5), (3, 1.5), (4, 1.5), (6, 2.5), (8, 3.5), (12, 5.5)] {
            #expect(abs(measured(rows: rows) - expected) < 1e-12)
        }
        #expect(abs(measured.inLanes(2)(rows: 4) - 7 / 3.0) < 1e-12)
        #expect(try CallCost.perRow(0.5)(rows: 5) == 3)
        #expect(try CallCost.workers(4)(rows: 9) == 3)
        for times in [[(1, 1.0)], [(2, 1), (3, 1)], [(1, 1), (1, 2)], [(1, 0), (2, 1)], [(1, 1), (2, .nan)]] {
            #expect(throws: DiffusionError.self) { try CallCost.measured(times.map { ($0.0, $0.1) }) }
        }
        #expect(throws: DiffusionError.self) { try CallCost.perRow(-1) }
        #expect(throws: DiffusionError.self) { try CallCost.workers(0) }
    }

    /// Against P(τ > k) = Π 2Φ(-|Δ_i|/2). A weight of mean a in 0 … 1 has relative variance at most (1 - a)/a, which
    /// each step adds over the particles, and resampling no more than once again; 5 of the resulting deviations.
    @Test func timeToRejectionOfAKnownWalk() throws {
        let (chain, particles) = (DriftingWalk(drift: [0, 0.5, -0.8, 2, 0.1, 1.2]), 20_000)
        let result = try TimeToRejection.particleFilter(
            chain: chain, draft: FrozenDenoiserDraft(), horizon: 6, particles: particles, random: RandomSource(seed: 21)
        )
        var (expected, variance) = (1.0, 0.0)
        #expect(result.survival.count == 7 && result.survival[0] == 1)
        for k in 0..<6 {
            let acceptance = maximalAcceptance(distance: abs(chain.drift[k] - chain.drift[0]))
            expected *= acceptance
            variance += 2 * (1 - acceptance) / acceptance / Double(particles)
            #expect(abs(result.survival[k + 1] - expected) <= 5 * expected * variance.squareRoot() + 1e-12, "\(k)")
        }
        #expect(abs(result.decidedSteps(window: 3) - result.survival[0...2].reduce(0, +)) < 1e-12)
        let observed = try TimeToRejection.observed(
            chain: chain, draft: FrozenDenoiserDraft(), horizon: 6, samples: particles, random: RandomSource(seed: 25))
        for k in 1...6 {
            let known = (1..<k).reduce(1.0) { $0 * maximalAcceptance(distance: abs(chain.drift[$1] - chain.drift[0])) }
            let error = (known * (1 - known) / Double(particles)).squareRoot()
            #expect(abs(observed.survival[k] - known) <= 5 * error, "\(k)")
        }
        // From a later step on the draft starts from that step's answer.
        let later = try TimeToRejection.particleFilter(
            chain: chain, draft: FrozenDenoiserDraft(), horizon: 2, start: 3, particles: particles,
            random: RandomSource(seed: 22))
        let second = maximalAcceptance(distance: 1.9)
        #expect(abs(later.survival[2] - second) < 5 * (second * (1 - second) / Double(particles)).squareRoot())
    }

    /// Deterministic steps are survived by what hits their mean, and by nothing else; refining drafts have other windows
    /// than the filter's.
    @Test func timeToRejectionAtTheEdges() throws {
        let chain = try SamplerTests.counted(steps: 8, churn: 0).1
        for horizon in [1, 4] {
            let filtered = try TimeToRejection.particleFilter(
                chain: chain, draft: FrozenDenoiserDraft(), horizon: horizon, start: 2, particles: 20,
                random: RandomSource(seed: 26))
            let observed = try TimeToRejection.observed(
                chain: chain, draft: FrozenDenoiserDraft(), horizon: horizon, start: 2, samples: 20,
                random: RandomSource(seed: 27))
            // The first draft is the target's own mean.
            #expect(filtered.survival == [1, 1] + [Double](repeating: 0, count: horizon - 1))
            #expect(observed.survival == filtered.survival)
        }
        let picard = try PicardDraft(iterations: 1)
        #expect(throws: DiffusionError.self) {
            try TimeToRejection.particleFilter(
                chain: chain, draft: picard, horizon: 2, particles: 2, random: RandomSource(seed: 1))
        }
        #expect(throws: DiffusionError.self) {
            try TimeToRejection.observed(
                chain: chain, draft: picard, horizon: 2, samples: 2, random: RandomSource(seed: 1))
        }
    }

    /// The particle filter against the sampler's own first rejections, on a diffusion model, within 5 standard errors
    /// of their difference (the filter's bounded as above).
    @Test func timeToRejectionIsTheSamplersOwn() throws {
        let (chain, count) = (try SamplerTests.counted(steps: 8, churn: 1).1, 10_000)
        for draft in [FrozenDraft(), RecycledDraft()] as [any Draft] {
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: 8, random: RandomSource(seed: 23))
            var first = [Int](repeating: chain.stepCount, count: count)
            try sampler.run(samples: 0..<count, lanes: 256) { info, _ in
                for decision in info.decisions where !decision.isAccepted {
                    first[decision.sample] = min(first[decision.sample], decision.step)
                }
            } onFinished: { _ in
            }
            let filtered = try TimeToRejection.particleFilter(
                chain: chain, draft: draft, horizon: 8, particles: count, random: RandomSource(seed: 24)
            ).survival
            var variance = 0.0
            for k in 1...8 {
                let observed = Double(first.count { $0 >= k }) / Double(count)
                variance += 2 * max(0, filtered[k - 1] / filtered[k] - 1) / Double(count)
                let error = (observed * (1 - observed) / Double(count) + filtered[k] * filtered[k] * variance)
                    .squareRoot()
                #expect(abs(filtered[k] - observed) < 5 * error + 1e-12, "\(k): \(filtered[k]), \(observed)")
            }
            #expect(filtered[8] < 0.9)
        }
    }

    @Test func impossibleHorizonsAreRefused() throws {
        let chain = DriftingWalk(drift: [0, 0, 0, 0, 0, 0])
        for (horizon, start, particles) in [(7, 0, 10), (3, 4, 10), (3, -1, 10), (3, 0, 0)] {
            #expect(throws: DiffusionError.self) {
                try TimeToRejection.particleFilter(
                    chain: chain, draft: FrozenDraft(), horizon: horizon, start: start, particles: particles,
                    random: RandomSource(seed: 0))
            }
            #expect(throws: DiffusionError.self) {
                try TimeToRejection.observed(
                    chain: chain, draft: FrozenDraft(), horizon: horizon, start: start, samples: particles,
                    random: RandomSource(seed: 0))
            }
        }
    }
}
