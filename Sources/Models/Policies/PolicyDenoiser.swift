import Diffusion
import NeuralNetwork

/// A policy's network as a denoiser; a query's condition is the number of its observation.
struct PolicyDenoiser: Denoiser {
    let network: ConditionalUnet1D
    let noise: NoiseProcess
    /// By observation, as the network sees it.
    let conditions: [[Float]]
    let horizon: Int
    let threads: Int

    var dimension: Int { horizon * network.configuration.inputDimension }

    func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let rows = try queries.flatMap { query in
            guard case .prepared(let number) = query.condition, conditions.indices.contains(number) else {
                throw DiffusionError(
                    "condition", expected: "the number of one of \(conditions.count) observations",
                    found: "\(query.condition)")
            }
            return conditions[number]
        }
        let output = try network(
            sample: noise.samples(queries, dimension: dimension), batch: queries.count, positions: horizon,
            timesteps: noise.timesteps(queries), condition: rows,
            threads: threads)
        return noise.denoised(queries, output: output)
    }
}
