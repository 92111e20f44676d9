import Couplings
import Diffusion
import Foundation
import Testing

@Suite("Picard iteration without noise")
struct DeterministicPicardTests {
    /// (61)–(66) by hand for M = 2 and a window of three: two iterates without noise, then a mean that knows no noise either.
    @Test func theFirstWindowIsThePaperS() throws {
        let (counter, chain) = try SamplerTests.counted(steps: 6)
        let sampler = try SpeculativeSampler(
            chain: chain, draft: DeterministicPicardDraft(iterations: 2), window: 3, random: RandomSource(seed: 4))
        var samples = [sampler.start(sample: 0)]
        let start = samples[0].state
        let info = try sampler.step(&samples)

        func answer(_ step: Int, _ state: [Double]) throws -> [Double] {
            try chain.predictions(for: [ChainQuery(sample: 0, step: step, state: state)])[0]
        }
        // F⁰ has no answer to go by and stays at Y_0; F¹_{k+1} = F⁰_k + γ b̄(F⁰_k).
        let first = [start, start, start]
        var second = [start]
        for k in 0..<2 {
            second.append(chain.deterministicMean(step: k, state: first[k], prediction: try answer(k, first[k])))
        }
        let means = try (0..<3).map { chain.mean(step: $0, state: second[$0], prediction: try answer($0, second[$0])) }

        let calls = counter.calls.withLock { $0 }
        #expect(calls[0].map(\.state) == first)
        #expect(calls[1].map(\.state) == Array(second.dropFirst()), "Y_0 was asked already")
        let window = try #require(info.scored.last?.window)
        #expect(window.means == means && window.iterate == nil)
        #expect(window.states[1] != means[0], "the last iterate has its noise")
        #expect(samples[0].cost.calls == 3 && samples[0].cost.windows == 1)
        // The first mean is the target's own, and the second misses the noise of the first step.
        #expect(info.decisions.first?.distance == 0 && samples[0].step >= 2)
    }

    /// Only the last iterate has the chain's noise, so that its iterates are those of the same chain without churn.
    @Test func theFlowOfTheReverseDiffusionHasNoChurn() throws {
        let schedule = CosineSchedule()
        let grid = try TimeGrid(.edm, steps: 7, schedule: schedule)
        let churned = try ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 0.7)
        let flow = try ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 0)
        for (step, expected) in zip(churned, flow) {
            let found = try #require(step.flow)
            #expect(found.stateCoefficient == expected.transition.stateCoefficient)
            #expect(found.predictionCoefficient == expected.transition.predictionCoefficient)
            #expect(found.standardDeviation == 0)
        }
    }

    /// DDIM: where the answer is right, the same data and the same noise are mixed anew at the next level.
    @Test func theFlowOfAncestralSamplingIsDDIM() throws {
        let betas = try BetaSchedule(family: .linear, trainingSteps: 50)
        let timesteps = try AncestralDDPM.timesteps(.trailing, steps: 5, trainingSteps: 50)
        let steps = try AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: .large)
        let (data, noise) = (0.7, -1.3)
        func mixed(_ timestep: Int) -> Double {
            betas.cumulativeProduct(timestep).squareRoot() * data + betas.cumulativeVariance(timestep).squareRoot()
                * noise
        }
        for (k, timestep) in timesteps.enumerated() {
            let flow = try #require(steps[k].flow)
            let next = flow.stateCoefficient * mixed(timestep) + flow.predictionCoefficient * data
            // A few roundings of numbers about 1.
            #expect(abs(next - mixed(k + 1 < timesteps.count ? timesteps[k + 1] : -1)) < 1e-14)
        }
    }

    /// Beside a draft that wants noise in its window the mixture gives it some, and ends all the same.
    @Test func aMixtureTakesTheGreaterWish() throws {
        let picard = try PicardDraft(iterations: 1)
        let mixture = try MixtureDraft([
            (0.5, picard), (0.25, DeterministicPicardDraft(iterations: 2)), (0.25, FrozenDraft(.fresh)),
        ])
        #expect(mixture.refinements == [.all, .allWithoutNoise])
        let chain = try SamplerTests.counted(steps: 6).1
        let sampler = try SpeculativeSampler(chain: chain, draft: mixture, window: 3, random: RandomSource(seed: 4))
        let finals = try SamplerTests.finals(sampler, 0..<4, lanes: 2)
        #expect(finals.count == 4 && finals.values.allSatisfy { $0.step == 6 })
    }

    @Test func impossibleIterationsAreErrors() {
        for iterations in [-1, 0, 1001] {
            #expect(throws: DiffusionError.self) { try DeterministicPicardDraft(iterations: iterations) }
        }
    }
}
