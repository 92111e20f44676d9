import Diffusion
import Foundation
import NeuralNetwork

/// A folder with a ``VelocityMLP`` and the mixture that it was trained for: `config.json` and weights, `process.json` for
/// the process, `mixture.json` for the law of its data.
public struct MixtureModel: Denoiser {
    public let network: VelocityMLP
    public let mixture: MixtureFile
    public let schedule: any NoiseSchedule
    public let prediction: PredictionKind
    private let timeInput: TimeInput

    /// `process.json`
    private struct Process: Decodable {
        let schedule: String
        let prediction: String
        /// The network's time input is this times `t`.
        let time_scale: Double
    }

    /// - Throws: `CheckpointError`, `ModelError` or `DiffusionError`, naming the file and what is wrong with it.
    public init(folder: String) throws {
        let path = URL(fileURLWithPath: folder)
        network = try VelocityMLP(folder: folder)
        let file = path.appendingPathComponent("process.json").path
        let process = try JSONFile.decode(Process.self, path: file)
        let named: NamedSchedule = try JSONFile.value(process.schedule, key: "schedule", file: file)
        schedule = try named.schedule()
        prediction = try JSONFile.value(process.prediction, key: "prediction", file: file)
        guard process.time_scale.isFinite, process.time_scale > 0 else {
            throw ModelError(file, key: "time_scale", expected: "a positive number", found: "\(process.time_scale)")
        }
        timeInput = .scaled(process.time_scale)
        let mixtureFile = path.appendingPathComponent("mixture.json").path
        mixture = try JSONFile.decode(MixtureFile.self, path: mixtureFile)
        let dimension = try GaussianMixture(components: mixture.components, schedule: schedule).dimension
        let configuration = network.configuration
        guard dimension == configuration.dimension, mixture.components.count == configuration.labelCount else {
            throw ModelError(
                mixtureFile, key: "components",
                expected:
                    "\(configuration.labelCount) of dimension \(configuration.dimension), as the network has labels",
                found: "\(mixture.components.count) of dimension \(dimension)")
        }
    }

    public var dimension: Int { network.configuration.dimension }

    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let labels = try queries.map { query in
            guard let label = query.condition else {
                throw DiffusionError("label", expected: "one of the mixture's components", found: "none")
            }
            return label
        }
        let output = try network(
            sample: queries.flatMap { $0.state.map { Float($0) } }, batch: queries.count,
            timesteps: queries.map { Float(timeInput($0.time)) }, classLabels: labels, threads: 1)
        return queries.enumerated().map { row, query in
            let weights = prediction.denoisingCoefficients(schedule, at: query.time)
            return query.state.indices.map {
                weights.state * query.state[$0] + weights.output * Double(output[row * dimension + $0])
            }
        }
    }
}
