import Foundation
import Testing

@testable import Diffusion

@Suite("DDIM")
struct DDIMTests {
    /// diffusers 0.42.1: `DDIMScheduler(100, beta_schedule="squaredcos_cap_v2", clip_sample=True)` with ten steps, from the
    /// states and noises `sin(1.7 i + k)` and `cos(0.9 i - k)` of row i at step k, and `variance_noise` `sin(0.3 i + 2 k)`.
    static let expected: [(eta: Double, step: Int, values: [Double])] = [
        (0, 0, [0.6646817, 0.8863556, -0.2811215, -0.9286399]),
        (0, 4, [-0.7236123, -0.4090262, 0.4385563, 0.3069230]),
        (0, 8, [0.9960286, -0.3860911, -0.9746460, 0.4282768]),
        (0, 9, [0.4351482, -0.9508161, -0.1809462, 0.9744955]),
        (0.5, 0, [0.5655969, 0.9500472, -0.0192332, -0.5069744]),
        (0.5, 4, [-0.4947219, -0.185586, 0.6122334, 0.4009784]),
        (0.5, 8, [0.9929252, -0.3952959, -0.9876223, 0.4148829]),
        (0.5, 9, [0.4351482, -0.9508161, -0.1809462, 0.9744955]),
        (1, 0, [0.1508576, 0.8175247, 0.3143725, 0.2000657]),
        (1, 4, [-0.2065003, 0.1285456, 0.8393287, 0.470753]),
        (1, 8, [0.9920222, -0.4148527, -1.0156688, 0.3931055]),
        (1, 9, [0.4351482, -0.9508161, -0.1809462, 0.9744955]),
    ]

    @Test(arguments: expected.indices) func stepsAsDiffusersDoes(_ index: Int) throws {
        let betas = try BetaSchedule(family: .squaredCosine, trainingSteps: 100)
        let timesteps = try AncestralDDPM.timesteps(.leading, steps: 10, trainingSteps: 100)
        let (eta, step, expected) = Self.expected[index]
        let chain = try DenoisingChain(
            denoiser: NoDenoiser(), steps: DDIM.steps(betas: betas, timesteps: timesteps, eta: eta),
            predictionBounds: -1...1)
        let (signal, noise) = (
            betas.cumulativeProduct(timesteps[step]).squareRoot(),
            betas.cumulativeVariance(timesteps[step]).squareRoot()
        )
        let state = (0..<4).map { sin(1.7 * Double($0) + Double(step)) }
        let prediction = state.indices.map { (state[$0] - noise * cos(0.9 * Double($0) - Double(step))) / signal }
        let deviation = chain.transition(at: step).standardDeviation
        let found = chain.mean(step: step, state: state, prediction: prediction).enumerated().map {
            $0.element + deviation * sin(0.3 * Double($0.offset) + 2 * Double(step))
        }
        #expect((deviation == 0) == (eta == 0 || step == 9))
        // diffusers keeps its products in single precision.
        for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 2e-5) }
    }

    @Test("η = 1 is ancestral sampling with the small variance") func isAncestral() throws {
        let betas = try BetaSchedule(family: .linear, trainingSteps: 1000)
        let timesteps = try AncestralDDPM.timesteps(.leading, steps: 13, trainingSteps: 1000)
        let ancestral = try AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: .small)
        // Products of a few dozen roundings, of numbers up to 1.
        for (own, other) in zip(try DDIM.steps(betas: betas, timesteps: timesteps, eta: 1), ancestral) {
            let (own, other) = (own.transition, other.transition)
            #expect(abs(own.stateCoefficient - other.stateCoefficient) < 1e-12)
            #expect(abs(own.predictionCoefficient - other.predictionCoefficient) < 1e-12)
            #expect(abs(own.standardDeviation - other.standardDeviation) < 1e-12)
        }
    }

    @Test(arguments: [-0.1, 1.1, .nan]) func otherEtasAreRefused(_ eta: Double) throws {
        let betas = try BetaSchedule(family: .linear, trainingSteps: 10)
        #expect(throws: DiffusionError.self) { try DDIM.steps(betas: betas, timesteps: [9, 4], eta: eta) }
    }

    private struct NoDenoiser: Denoiser {
        let dimension = 4
        func denoised(_ queries: [DenoiserQuery]) -> [[Double]] { [] }
    }
}
