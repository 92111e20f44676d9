import Diffusion
import Foundation
import NeuralNetwork

/// A folder with a diffusion policy (Chi et al., "Diffusion Policy", RSS 2023): the network, the scheduler that it was
/// trained with, and the statistics that its observations and actions are mapped by. Given what a robot has seen last, it
/// samples the actions to take next. A `prior.safetensors` (see `PolicyPrior`) saves a call of each plan.
public struct PolicyModel: Sendable {
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

    /// - Throws: `CheckpointError`, `ModelError` or `DiffusionError`, naming the file and what is wrong with it.
    public init(folder: String) throws {
        try Architecture.policy.require(folder: folder)
        try self.init(folder: folder, network: ConditionalUnet1D(folder: PretrainedModel.networkFolder(in: folder)))
    }

    /// - Parameter network: the folder's, read already.
    public init(folder: String, network: ConditionalUnet1D) throws {
        self.folder = folder
        self.network = network
        let configuration = network.configuration
        let networkFile = PretrainedModel.networkFolder(in: folder) + "/config.json"
        func file(_ name: String) -> String? {
            let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
            return FileManager.default.fileExists(atPath: path) ? path : nil
        }
        guard let horizon = configuration.horizon else {
            throw ModelError(
                networkFile, key: "horizon", expected: "the number of actions of a plan", found: "none",
                remedy: "add the horizon that the policy was trained with")
        }
        self.horizon = horizon
        guard let scheduler = file("scheduler/scheduler_config.json") ?? file("scheduler_config.json") else {
            throw ModelError(
                folder, expected: "a scheduler_config.json", found: "none",
                remedy: "save the DDPMScheduler that the policy was trained with beside it")
        }
        noise = try NoiseProcess(schedulerFile: scheduler)
        guard let path = file(Self.statisticsFile) else {
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
        prior = try file(PretrainedModel.priorFile).map {
            try PolicyPrior(path: $0, dimension: horizon * configuration.inputDimension, conditionDimension: condition)
        }
    }

    /// The chain that plans for some observations, sample i for number i: DDPM ancestral sampling by the model's own
    /// scheduler.
    /// - Parameters:
    ///   - observations: each `[observationSteps · observationDimension]`, oldest first, in the units of the training data.
    ///   - steps: `K`, at most as many as in training.
    ///   - spacing: which of the training steps, in place of what the scheduler says.
    ///   - threads: cores to use, at least 1.
    /// - Throws: `DiffusionError` or `ModelError` for steps or observations that do not fit.
    public func chain(
        observations: [[Double]], steps: Int, spacing: AncestralDDPM.Spacing? = nil, threads: Int
    ) throws -> DenoisingChain {
        guard let (steps, bounds) = try noise.ancestralSteps(steps, spacing: spacing) else {
            throw ModelError(
                folder + "/scheduler_config.json", key: "_class_name", expected: "a scheduler with betas",
                found: "another",
                remedy: "a policy is sampled as a DDPM; save the DDPMScheduler that it was trained with")
        }
        let conditions = try observations.map(condition)
        let denoiser = PolicyDenoiser(
            network: network, noise: noise, conditions: conditions, horizon: horizon, threads: threads)
        var priors: [Int?: [Double]] = [:]
        if let prior {
            for (index, condition) in conditions.enumerated() { priors[index] = prior(condition) }
        }
        return try DenoisingChain(
            denoiser: denoiser, steps: steps, conditions: conditions.indices.map { $0 }, predictionBounds: bounds,
            priors: priors)
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

/// A policy's network as a denoiser; a query's condition is the number of its observation.
public struct PolicyDenoiser: Denoiser {
    let network: ConditionalUnet1D
    let noise: NoiseProcess
    /// By observation, as the network sees it.
    let conditions: [[Float]]
    let horizon: Int
    let threads: Int

    public var dimension: Int { horizon * network.configuration.inputDimension }

    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let output = try network(
            sample: noise.samples(queries, dimension: dimension), batch: queries.count, positions: horizon,
            timesteps: noise.timesteps(queries), condition: queries.flatMap { conditions[$0.condition ?? 0] },
            threads: threads)
        return noise.denoised(queries, output: output)
    }
}
