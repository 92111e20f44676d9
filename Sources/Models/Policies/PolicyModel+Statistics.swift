import Diffusion
import NeuralNetwork

/// Policies as folders of ours: the network in `config.json` and its weights, the scheduler that it was trained with, and
/// between what values the observations and actions lay (`PolicyStatistics`).
extension PolicyModel {
    /// The file that holds the statistics.
    public static let statisticsFile = "statistics.safetensors"
    /// What such a policy observes has no name of its own.
    public static let observationName = "observation"

    /// - Parameter network: the folder's, read already.
    init(name: String, folder: String, network: ConditionalUnet1D) throws {
        let configuration = network.configuration
        let networkFile = ModelFolder.configuration(of: folder)
        guard let horizon = configuration.horizon else {
            throw ModelError(
                networkFile, key: "horizon", expected: "the number of actions of a plan", found: "none",
                remedy: "add the horizon that the policy was trained with")
        }
        guard let scheduler = ModelFolder.scheduler(in: folder) else {
            throw ModelError(
                folder, expected: "a scheduler_config.json", found: "none",
                remedy: "save the DDPMScheduler that the policy was trained with beside it")
        }
        guard let path = ModelFolder.existing(Self.statisticsFile, in: folder) else {
            throw ModelError(
                folder, expected: "a \(Self.statisticsFile)", found: "none",
                remedy:
                    "write the training data's least and greatest values there, as the tensors observation_minimum, observation_maximum, action_minimum and action_maximum"
            )
        }
        let noise = try NoiseProcess(schedulerFile: scheduler)
        let statistics = try PolicyStatistics(path: path)
        guard statistics.action.count == configuration.inputDimension else {
            throw ModelError(
                path, key: "action_minimum", expected: "\(configuration.inputDimension) numbers, as many as input_dim",
                found: "\(statistics.action.count)")
        }
        let (count, condition) = (statistics.observation.count, configuration.conditionDimension)
        guard count > 0, condition > 0, condition % count == 0 else {
            throw ModelError(
                path, key: "observation_minimum", expected: "a divisor of global_cond_dim, \(condition)",
                found: "\(count) numbers")
        }
        try self.init(
            name: name, folder: folder, network: network, noise: noise,
            observer: PolicyObserver(
                steps: condition / count,
                features: [
                    PolicyFeature(
                        name: Self.observationName, kind: .numbers(count),
                        scalings: statistics.observation.map(\.scaling))
                ]),
            actionScalings: statistics.action.map(\.scaling), horizon: horizon, chunk: 0..<horizon,
            ownChain: ChainRecipe(kind: .ddpm), notes: noise.notes + statistics.notes)
    }
}

extension PolicyObservation {
    /// Of a policy that observes but one list of numbers at each step, oldest first.
    public init(_ numbers: [Double]) { self.init([PolicyModel.observationName: .numbers(numbers)]) }
}
