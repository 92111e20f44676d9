import Diffusion
import NeuralNetwork
import Platform

/// A folder with a diffusion policy (Chi et al., "Diffusion Policy", RSS 2023): the network, the scheduler that it was
/// trained with, and the statistics that its observations and actions are mapped by. Given what a robot has seen last, it
/// samples the actions to take next. A `prior.safetensors` (see `PolicyPrior`) saves a call of each plan.
public struct PolicyModel: Model {
    public static let kind = ModelKind(
        classNames: [ConditionalUnet1DConfiguration.className],
        words: "a robot policy, which plans actions from observations",
        command: "policy")

    public let name: String
    public let folder: String
    public let network: ConditionalUnet1D
    public let noise: NoiseProcess
    public let statistics: PolicyStatistics
    /// What drafts start from, if the folder has it.
    private let prior: PolicyPrior?
    /// `T`, the actions of a plan.
    public let horizon: Int
    /// The latest observations that a plan depends on, and the numbers of each.
    public let observationSteps: Int
    public let observationDimension: Int
    /// The numbers of an action.
    public var actionDimension: Int { network.configuration.inputDimension }

    /// The file that holds the statistics.
    public static let statisticsFile = "statistics.safetensors"

    public init(named name: String) throws {
        let folder = try BundledModels.folder(name)
        try Self.kind.require(folder: folder)
        let network = try ConditionalUnet1D(folder: ModelFolder.networkFolder(in: folder))
        try self.init(name: name, folder: folder, network: network)
    }

    /// - Parameter network: the folder's, read already.
    init(name: String, folder: String, network: ConditionalUnet1D) throws {
        (self.name, self.folder, self.network) = (name, folder, network)
        let configuration = network.configuration
        let networkFile = ModelFolder.configuration(of: folder)
        guard let horizon = configuration.horizon else {
            throw ModelError(
                networkFile, key: "horizon", expected: "the number of actions of a plan", found: "none",
                remedy: "add the horizon that the policy was trained with")
        }
        self.horizon = horizon
        guard let scheduler = ModelFolder.scheduler(in: folder) else {
            throw ModelError(
                folder, expected: "a scheduler_config.json", found: "none",
                remedy: "save the DDPMScheduler that the policy was trained with beside it")
        }
        noise = try NoiseProcess(schedulerFile: scheduler)
        guard let path = ModelFolder.existing(Self.statisticsFile, in: folder) else {
            throw ModelError(
                folder, expected: "a \(Self.statisticsFile)", found: "none",
                remedy:
                    "write the training data's least and greatest values there, as the tensors observation_minimum, observation_maximum, action_minimum and action_maximum"
            )
        }
        statistics = try PolicyStatistics(path: path)
        guard statistics.action.count == configuration.inputDimension else {
            throw ModelError(
                path, key: "action_minimum", expected: "\(configuration.inputDimension) numbers, as many as input_dim",
                found: "\(statistics.action.count)")
        }
        observationDimension = statistics.observation.count
        let condition = configuration.conditionDimension
        guard observationDimension > 0, condition > 0, condition % observationDimension == 0 else {
            throw ModelError(
                path, key: "observation_minimum", expected: "a divisor of global_cond_dim, \(condition)",
                found: "\(observationDimension) numbers")
        }
        observationSteps = condition / observationDimension
        prior = try ModelFolder.existing(ModelFolder.priorFile, in: folder).map {
            try PolicyPrior(path: $0, dimension: horizon * configuration.inputDimension, conditionDimension: condition)
        }
    }

    public var summary: String {
        "policy, \(horizon) actions of \(actionDimension) from \(observationSteps) states of "
            + "\(observationDimension), \(network.parameterCount) parameters, \(noise.scheduleName) schedule"
    }

    /// The chain that plans for some observations, sample `i` for number `i`.
    /// - Parameters:
    ///   - recipe: of a DDPM, as policies are sampled.
    ///   - observations: each `[observationSteps · observationDimension]`, oldest first, in the units of the training data.
    ///   - threads: cores to use, at least 1.
    /// - Throws: `DiffusionError`, `ModelError` or `RecipeError` for a recipe or observations that do not fit.
    public func chain(_ recipe: ChainRecipe, subjects observations: [[Double]], threads: Int) throws -> DenoisingChain {
        let (steps, bounds) = try noise.steps(recipe)
        let conditions = try observations.map(condition)
        let denoiser = PolicyDenoiser(
            network: network, noise: noise, conditions: conditions, horizon: horizon, threads: threads)
        var priors: [Condition: [Double]] = [:]
        if let prior {
            for (index, condition) in conditions.enumerated() { priors[.prepared(index)] = prior(condition) }
        }
        return try DenoisingChain(
            denoiser: denoiser, steps: steps, conditions: conditions.indices.map { .prepared($0) },
            predictionBounds: bounds, priors: priors)
    }

    public static func inspection(of name: String, folder: String) throws -> any Inspection {
        let network = try ConditionalUnet1D(folder: ModelFolder.networkFolder(in: folder))
        return PolicyInspection(name, folder: folder, network: network)
    }

    public static func evaluate(folder: String, rows file: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        let network = try ConditionalUnet1D(folder: ModelFolder.networkFolder(in: folder))
        let configuration = network.configuration
        let rows = NetworkRows(file: file)
        let shape = try rows.shape(of: "sample", ["N", "positions", "\(configuration.inputDimension)"])
        let condition =
            configuration.conditionDimension == 0
            ? [] : try file.floats(named: "global_cond", shape: [shape[0], configuration.conditionDimension])
        let output = try network(
            sample: file.floats(named: "sample"), batch: shape[0], positions: shape[1],
            timesteps: rows.timesteps(shape[0]), condition: condition, threads: threads)
        return [NamedTensor("output", shape: shape, values: output)]
    }

    /// What the network sees of an observation.
    private func condition(_ observation: [Double]) throws -> [Float] {
        let expected = observationSteps * observationDimension
        guard observation.count == expected else {
            throw DiffusionError("observation", expected: "\(expected) numbers", found: "\(observation.count)")
        }
        return try observation.enumerated().map { index, value in
            let normalised = Float(statistics.observation[index % observationDimension].normalised(value))
            guard normalised.isFinite else {
                throw DiffusionError(
                    "observation", expected: "numbers about as large as in the training data", found: "\(value)")
            }
            return normalised
        }
    }

    /// The actions that a sampled state stands for, `[horizon][actionDimension]`, in the units of the training data.
    public func actions(_ state: [Double]) -> [[Double]] {
        (0..<horizon).map { position in
            statistics.action.enumerated().map { dimension, extent in
                extent.restored(state[position * actionDimension + dimension])
            }
        }
    }
}
