import Diffusion
import NeuralNetwork
import Platform

/// A folder with a ``VelocityMLP`` and the mixture that it was trained for: `config.json` and weights, `process.json` for
/// the process, `mixture.json` for the law of its data.
struct MixtureNetwork: Denoiser {
    let network: VelocityMLP
    let law: MixtureFile
    let noise: NoiseProcess

    /// `process.json`
    private struct Process: Decodable {
        let schedule: String
        let prediction: String
        /// The network's time input is this times `t`.
        let time_scale: Double
    }

    /// - Throws: `CheckpointError`, `ModelError` or `DiffusionError`, naming the file and what is wrong with it.
    init(folder: String) throws {
        let path = URL(fileURLWithPath: folder)
        network = try VelocityMLP(folder: folder)
        let file = path.appendingPathComponent("process.json").path
        let process = try JSONFile.decode(Process.self, path: file)
        let named: NamedSchedule = try JSONFile.value(process.schedule, key: "schedule", file: file)
        let schedule = try named.schedule()
        let prediction: PredictionKind = try JSONFile.value(process.prediction, key: "prediction", file: file)
        guard process.time_scale.isFinite, process.time_scale > 0 else {
            throw ModelError(file, key: "time_scale", expected: "a positive number", found: "\(process.time_scale)")
        }
        noise = NoiseProcess(
            schedule: schedule, scheduleName: named.rawValue, prediction: prediction,
            timeInput: .scaled(process.time_scale))
        let mixtureFile = path.appendingPathComponent("mixture.json").path
        law = try JSONFile.decode(MixtureFile.self, path: mixtureFile)
        let dimension = try GaussianMixture(components: law.components, schedule: schedule).dimension
        let configuration = network.configuration
        guard dimension == configuration.dimension, law.components.count == configuration.labelCount else {
            throw ModelError(
                mixtureFile, key: "components",
                expected:
                    "\(configuration.labelCount) of dimension \(configuration.dimension), as the network has labels",
                found: "\(law.components.count) of dimension \(dimension)")
        }
    }

    var dimension: Int { network.configuration.dimension }

    func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let labels = try queries.map { query in
            guard case .label(let label) = query.condition else {
                throw DiffusionError("label", expected: "one of the mixture's components", found: "none")
            }
            return label
        }
        let output = try network(
            sample: noise.samples(queries, dimension: dimension), batch: queries.count,
            timesteps: noise.timesteps(queries), classLabels: labels, threads: 1)
        return noise.denoised(queries, output: output)
    }
}
