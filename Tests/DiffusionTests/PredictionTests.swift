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
            let value = ClosedForms.decidedSteps(acceptance: acceptance, window: window)
            #expect(abs(value - sum) < 1e-9 * sum)
            let same = ClosedForms.decidedSteps(acceptances: repeatElement(acceptance, count: window))
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
            #expect(mean >= ClosedForms.leastAcceptance(meanSquaredDistance: square) - 1e-15)
        }
        #expect(maximalAcceptance(distance: 0.1) < exp(-0.1 * 0.1 / 2))
    }

    @Test func distancesOfScores() {
        let squared = ClosedForms.squaredDistance(duration: 0.01, churn: 1, squaredDiffusion: 2, squaredScoreError: 3)
        #expect(abs(squared - 0.06) < 1e-15)
    }

    /// (14) against what windows decide: on a walk whose drift grows by the same amount every step a frozen draft is off by that
    /// amount times its position, and by `TimeToRejection` nothing else. The mean of the steps that 20,000 windows decide, each at
    /// most `L`, lies within 5 of its standard errors, `L/(2 √20000)` at most.
    @Test func decidedStepsAreAsMeasured() throws {
        let (slope, length, count) = (0.3, 6, 20_000)
        let chain = DriftingWalk(drift: (0..<length + 1).map { slope * Double($0) })
        let sampler = try SpeculativeSampler(
            chain: chain, draft: FrozenDenoiserDraft(), window: length, random: RandomSource(seed: 31))
        // The first window starts with the target's own answer, whose draft is always accepted.
        let acceptances = (0..<length).map { maximalAcceptance(distance: slope * Double($0)) }
        var accepted = 0
        for sample in 0..<count {
            var samples = [sampler.start(sample: sample)]
            while samples[0].step == 0 { _ = try sampler.step(&samples) }
            accepted += samples[0].step
        }
        let known = ClosedForms.decidedSteps(acceptances: acceptances)
        let error = Double(length) / 2 / Double(count).squareRoot()
        #expect(
            abs(Double(accepted) / Double(count) - known) < 5 * error, "\(Double(accepted) / Double(count)), \(known)")
    }

    /// (75): met by a walk whose drafts are off by `M` everywhere; the bound where they are off by more.
    @Test func survivalIsBounded() throws {
        let gap = 0.8
        for (drift, isTight) in [([0, gap, gap, gap, gap], true), ([0, gap, 1.2, 2, gap], false)] {
            let result = try TimeToRejection.particleFilter(
                chain: DriftingWalk(drift: drift), draft: FrozenDenoiserDraft(), horizon: 5, particles: 20_000,
                random: RandomSource(seed: 33))
            for k in 1...4 {
                // The first draft is the target's own mean.
                let bound = ClosedForms.survivalBound(duration: 1, leastGap: gap, steps: k)
                let survived = result.survival[k + 1]
                #expect(survived <= bound * 1.05, "\(k)")
                if isTight { #expect(abs(survived / bound - 1) < 0.05, "\(k)") }
            }
        }
        // (76): a whole chain of ever finer steps is never survived.
        let whole = [1, 100, 10_000].map {
            ClosedForms.survivalBound(duration: 1 / Double($0), leastGap: 1, steps: $0)
        }
        #expect(whole[0] > whole[1] && whole[1] > whole[2] && whole[2] < 1e-15)
    }

    /// Theorem H.9's factor is (234) for the flow schedule; both of Fig. 6's curves fall to 0 at full noise.
    @Test func errorsCountForLittleAtFullNoise() {
        for t in [0.05, 0.3, 0.5, 0.9, 0.999] {
            let printed = 2 * t * (1 - t) * (1 + (1 + 1 / t) * (1 + 1 / t))
            #expect(abs(ClosedForms.errorWeight(of: FlowSchedule(), at: t) / printed - 1) < 1e-9)
        }
        let cosine = [0.2, 0.5, 0.9, 0.999].map { ClosedForms.errorWeight(of: CosineSchedule(), at: $0) }
        #expect(zip(cosine, cosine.dropFirst()).allSatisfy { $0 > $1 } && cosine[3] < 0.01)
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
