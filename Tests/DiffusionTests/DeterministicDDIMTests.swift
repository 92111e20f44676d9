import Foundation
import Testing

@testable import Diffusion

@Suite("DDIM")
struct DeterministicDDIMTests {
    /// diffusers 0.42.1: `DDIMScheduler(100, beta_schedule="squaredcos_cap_v2", clip_sample=True)` with ten steps, from the
    /// states and noises `sin(1.7 i + k)` and `cos(0.9 i - k)` of row i at step k.
    static let expected: [(step: Int, values: [Double])] = [
        (0, [0.6646817, 0.8863556, -0.2811215, -0.9286399]),
        (4, [-0.7236123, -0.4090262, 0.4385563, 0.3069230]),
        (8, [0.9960286, -0.3860911, -0.9746460, 0.4282768]),
        (9, [0.4351482, -0.9508161, -0.1809462, 0.9744955]),
    ]

    @Test(arguments: expected.indices) func stepsAsDiffusersDoes(_ index: Int) throws {
        let betas = try BetaSchedule(family: .squaredCosine, trainingSteps: 100)
        let timesteps = try AncestralDDPM.timesteps(.leading, steps: 10, trainingSteps: 100)
        let chain = try DenoisingChain(
            denoiser: NoDenoiser(), steps: DeterministicDDIM.steps(betas: betas, timesteps: timesteps),
            predictionBounds: -1...1)
        let (step, expected) = Self.expected[index]
        let (signal, noise) = (
            betas.cumulativeProduct(timesteps[step]).squareRoot(),
            betas.cumulativeVariance(timesteps[step]).squareRoot()
        )
        let state = (0..<4).map { sin(1.7 * Double($0) + Double(step)) }
        let prediction = state.indices.map { (state[$0] - noise * cos(0.9 * Double($0) - Double(step))) / signal }
        let found = chain.mean(step: step, state: state, prediction: prediction)
        #expect(chain.transition(at: step).standardDeviation == 0)
        // diffusers keeps its products in single precision.
        for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 2e-5) }
    }

    private struct NoDenoiser: Denoiser {
        let dimension = 4
        func denoised(_ queries: [DenoiserQuery]) -> [[Double]] { [] }
    }
}
