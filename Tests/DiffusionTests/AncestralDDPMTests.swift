import Diffusion
import Foundation
import Testing

/// diffusers' own numbers, in float32. Its ᾱ is a product of 1000 factors, each rounded (relative error up to
/// 1000·2⁻²⁴ = 6e-5), and its variances are differences of numbers near 1 (absolute error of a few 2⁻²⁴).
@Suite("DDPM ancestral sampling is diffusers'")
struct AncestralDDPMTests {
    struct Case: Decodable {
        struct Configuration: Decodable {
            let num_train_timesteps: Int
            let beta_start: Double
            let beta_end: Double
            let beta_schedule: String
            let prediction_type: String
            let timestep_spacing: String
            let steps_offset: Int
        }
        struct Step: Decodable {
            let timestep: Int
            let sample: [Double]
            let model_output: [Double]
            let mean: [Double]
            let variance: Double
        }
        let config: Configuration
        let timesteps: [Int]
        let alphas_cumprod: [String: Double]
        let steps: [Step]
    }

    static func cases() throws -> [String: Case] {
        let url = try #require(
            Bundle.module.url(forResource: "ddpm-schedules", withExtension: "json", subdirectory: "Fixtures"))
        return try JSONDecoder().decode([String: Case].self, from: Data(contentsOf: url))
    }

    @Test func everyCase() throws {
        for (name, reference) in try Self.cases() {
            let configuration = reference.config
            let betas = try BetaSchedule(
                family: #require(.init(rawValue: configuration.beta_schedule)),
                trainingSteps: configuration.num_train_timesteps, betaStart: configuration.beta_start,
                betaEnd: configuration.beta_end)
            for (timestep, product) in reference.alphas_cumprod {
                let found = betas.cumulativeProduct(try #require(Int(timestep)))
                #expect(abs(found - product) < 6e-5 * product, "\(name), ᾱ at \(timestep)")
            }

            let timesteps = try AncestralDDPM.timesteps(
                #require(.init(rawValue: configuration.timestep_spacing)), steps: reference.timesteps.count,
                trainingSteps: configuration.num_train_timesteps, offset: configuration.steps_offset)
            #expect(timesteps == reference.timesteps, "\(name)")

            let steps = try AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: .small)
            let prediction = try #require(PredictionKind(rawValue: configuration.prediction_type))
            for expected in reference.steps {
                let k = try #require(timesteps.firstIndex(of: expected.timestep))
                let transition = steps[k].transition
                let weights = prediction.denoisingCoefficients(betas, at: steps[k].time)
                for i in expected.sample.indices {
                    let denoised = weights.state * expected.sample[i] + weights.output * expected.model_output[i]
                    let mean =
                        transition.stateCoefficient * expected.sample[i]
                        + transition.predictionCoefficient * denoised
                    #expect(
                        abs(mean - expected.mean[i]) < 1e-4 * max(1, abs(expected.mean[i])),
                        "\(name), mean at \(expected.timestep)")
                }
                if expected.timestep > 0, k + 1 < timesteps.count {
                    let variance = transition.standardDeviation * transition.standardDeviation
                    #expect(
                        abs(variance - expected.variance) < 1e-4 * expected.variance + 1e-7,
                        "\(name), variance at \(expected.timestep)")
                } else {
                    #expect(transition.standardDeviation < 1e-9, "\(name): the last step adds no noise")
                }
            }
        }
    }

    @Test func impossibleRunsAreRefused() throws {
        #expect(throws: DiffusionError.self) { try AncestralDDPM.timesteps(.leading, steps: 11, trainingSteps: 10) }
        #expect(throws: DiffusionError.self) { try AncestralDDPM.timesteps(.leading, steps: 0, trainingSteps: 10) }
        #expect(throws: DiffusionError.self) {
            try AncestralDDPM.timesteps(.leading, steps: 5, trainingSteps: 10, offset: 7)
        }
        let betas = try BetaSchedule(family: .linear, trainingSteps: 10)
        #expect(throws: DiffusionError.self) {
            try AncestralDDPM.steps(betas: betas, timesteps: [3, 5], variance: .small)
        }
    }
}
