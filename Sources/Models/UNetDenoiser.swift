import Diffusion
import NeuralNetwork

/// What a network's time input is, as a function of noise time `t`.
public enum TimeInput: Sendable {
    /// `scale · t`
    case scaled(Double)
    /// The DDPM timestep `i = T t - 1`.
    case timestep(trainingSteps: Int)

    func callAsFunction(_ time: Double) -> Double {
        switch self {
        case .scaled(let scale): scale * time
        case .timestep(let trainingSteps): max(0, Double(trainingSteps) * time - 1)
        }
    }
}

/// A U-Net as a denoiser: states go in as `Float` rows, and whatever it predicts comes back as `x̂0` in `Double`.
public struct UNetDenoiser: Denoiser {
    public let network: UNet2D
    public let process: TrainedProcess
    public let threads: Int

    public var dimension: Int { network.configuration.inChannels * process.height * process.width }

    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let output = try network(
            sample: process.noise.samples(queries, dimension: dimension), batch: queries.count, height: process.height,
            width: process.width, timesteps: process.noise.timesteps(queries),
            classLabels: try process.labels(of: queries.map(\.condition), network: network.configuration),
            threads: threads)
        return process.noise.denoised(queries, output: output)
    }
}

extension TrainedProcess {
    /// What a network is told of its rows' classes; nil if it has none.
    /// - Throws: `DiffusionError` where a row has no class and the model no label for that.
    func labels(of conditions: [Int?], network: UNet2DConfiguration) throws(DiffusionError) -> [Int]? {
        guard network.labelCount > 0 else { return nil }
        var labels: [Int] = []
        for condition in conditions {
            guard let label = condition ?? nullClass else {
                throw DiffusionError(
                    "class", expected: "a label, for this model has none for \"no class\"", found: "none",
                    remedy: "name one, and no guidance")
            }
            labels.append(label)
        }
        return labels
    }
}
