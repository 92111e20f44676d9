import Diffusion
import NeuralNetwork

/// A diffusion policy (Chi et al., "Diffusion Policy", RSS 2023): given what a robot has seen last, it samples the actions to
/// take next. Its folder is one of ours, with the network and the statistics of its training (`PolicyModel+Statistics.swift`),
/// or one that LeRobot has saved (`LeRobot`). A `prior.safetensors` (see `PolicyPrior`) saves a call of each plan.
public struct PolicyModel: Model {
    public static let kind = ModelKind(
        classNames: [ConditionalUnet1DConfiguration.className, LeRobotConfiguration.className],
        words: "a robot policy, which plans actions from observations",
        command: "policy")

    public let name: String
    public let folder: String
    public let network: ConditionalUnet1D
    public let noise: NoiseProcess
    public let observer: PolicyObserver
    /// Of each number of an action.
    let actionScalings: [NumberScaling]
    /// `T`, the actions of a plan.
    public let horizon: Int
    /// Those of a plan's actions that are meant to be taken before the next plan.
    public let chunk: Range<Int>
    /// As the policy's authors sample it.
    public let ownChain: ChainRecipe
    public let notes: [String]
    /// Names of observations by those that the robot may have for them.
    public let renamedObservations: [String: String]
    /// What drafts start from, if the folder has it.
    private let prior: PolicyPrior?

    /// The numbers of an action.
    public var actionDimension: Int { network.configuration.inputDimension }

    public init(named name: String) throws { try self.init(named: name, precision: .f32) }

    /// - Parameters:
    ///   - name: of a bundled policy, or the path of a folder.
    ///   - precision: of the large products of the network that plans. The plans' law is that of the network so rounded.
    /// - Throws: as ``init(named:)``.
    public init(named name: String, precision: Precision) throws {
        let folder = try BundledModels.folder(name)
        try Self.kind.require(folder: folder)
        if try ModelFolder.className(of: folder) == LeRobotConfiguration.className {
            try self.init(name: name, leRobotFolder: folder, precision: precision)
        } else {
            let network = try ConditionalUnet1D(
                folder: ModelFolder.networkFolder(in: folder), precision: precision)
            try self.init(name: name, folder: folder, network: network)
        }
    }

    /// - Parameters:
    ///   - horizon: of the plans, which the network can take.
    ///   - notes: on what of the folder is not followed as another program might.
    init(
        name: String, folder: String, network: ConditionalUnet1D, noise: NoiseProcess, observer: PolicyObserver,
        actionScalings: [NumberScaling], horizon: Int, chunk: Range<Int>, ownChain: ChainRecipe, notes: [String],
        renamedObservations: [String: String] = [:]
    ) throws {
        (self.name, self.folder, self.network, self.noise) = (name, folder, network, noise)
        (self.observer, self.actionScalings, self.horizon) = (observer, actionScalings, horizon)
        (self.chunk, self.ownChain, self.notes) = (chunk, ownChain, notes)
        self.renamedObservations = renamedObservations
        let configuration = network.configuration
        prior = try ModelFolder.existing(ModelFolder.priorFile, in: folder).map {
            try PolicyPrior(
                path: $0, dimension: horizon * configuration.inputDimension,
                conditionDimension: configuration.conditionDimension)
        }
    }

    public var summary: String {
        let seen = observer.features.map { feature in
            switch feature.kind {
            case .numbers(let count):
                observer.features.count == 1 ? "states of \(count)" : "\(feature.name) of \(count)"
            case .picture(let height, let width): "\(feature.name) of \(height)×\(width) pixels"
            }
        }
        return "policy, \(horizon) actions of \(actionDimension) from \(observer.steps) \(seen.list), "
            + "\(parameterCount) parameters, \(noise.scheduleName) schedule"
    }

    /// The weights of its networks.
    public var parameterCount: Int { observer.encoders.reduce(network.parameterCount) { $0 + $1.parameterCount } }

    /// The chain that plans for some observations, sample `i` for number `i`.
    /// - Parameters:
    ///   - recipe: of a DDPM, as policies are sampled.
    ///   - observations: of every feature.
    ///   - threads: cores to use, at least 1.
    /// - Throws: `DiffusionError`, `ModelError` or `RecipeError` for a recipe or observations that do not fit.
    public func chain(
        _ recipe: ChainRecipe, subjects observations: [PolicyObservation], threads: Int
    ) throws -> DenoisingChain {
        try chain(recipe, conditions: observer.conditions(observations, threads: threads), threads: threads)
    }

    /// The same for observations that have been encoded.
    /// - Parameters:
    ///   - recipe: of a DDPM, as policies are sampled.
    ///   - conditions: of the observations, see `PolicyObserver.conditions`.
    ///   - earlierPlans: for each, a state of the last plan and how many of its actions have been taken since: drafts start
    ///     from what is left of it. Empty for none.
    ///   - threads: cores to use, at least 1.
    public func chain(
        _ recipe: ChainRecipe, conditions: [[Float]], earlierPlans: [EarlierPlan?] = [], threads: Int
    ) throws -> DenoisingChain {
        let steps = try noise.steps(recipe)
        let denoiser = PolicyDenoiser(
            network: network, noise: noise, conditions: conditions, horizon: horizon, threads: threads)
        var priors: [Condition: [Double]] = [:]
        for (index, condition) in conditions.enumerated() {
            let fresh = prior?(condition)
            let earlier = earlierPlans.indices.contains(index) ? earlierPlans[index] : nil
            let start = earlier?.shifted(horizon: horizon, actions: actionDimension, rest: fresh) ?? fresh
            if let start { priors[.prepared(index)] = start }
        }
        return try DenoisingChain(
            denoiser: denoiser, steps: steps.steps, conditions: conditions.indices.map { .prepared($0) },
            predictionBounds: steps.bounds, priors: priors, startDeviation: steps.startDeviation)
    }

    /// The plan before, of the same robot.
    public struct EarlierPlan: Sendable {
        /// The sampled state, `[horizon · actionDimension]`.
        public let state: [Double]
        /// How many actions have been taken since, or are to be when this plan begins.
        public let executed: Int

        public init(state: [Double], executed: Int) { (self.state, self.executed) = (state, executed) }

        /// About what the next plan will be, known before anything is drawn for it: the actions that are left, then those of
        /// `rest`, or else the last one again.
        func shifted(horizon: Int, actions: Int, rest: [Double]?) -> [Double] {
            (0..<horizon).flatMap { position -> ArraySlice<Double> in
                let old = position + executed
                if old >= horizon, let rest { return rest[position * actions..<(position + 1) * actions] }
                let source = min(old, horizon - 1)
                return state[source * actions..<(source + 1) * actions]
            }
        }
    }

    /// The actions that a sampled state stands for, `[horizon][actionDimension]`, in the units of the training data.
    public func actions(_ state: [Double]) -> [[Double]] {
        (0..<horizon).map { position in
            actionScalings.enumerated().map { $1.restored(state[position * actionDimension + $0]) }
        }
    }

    public static func inspection(of name: String, folder: String) throws -> any Inspection {
        if try ModelFolder.className(of: folder) == LeRobotConfiguration.className {
            return PolicyInspection(try PolicyModel(name: name, leRobotFolder: folder))
        }
        let network = try ConditionalUnet1D(folder: ModelFolder.networkFolder(in: folder))
        return PolicyInspection(name, folder: folder, network: network)
    }

    public static func evaluate(folder: String, rows file: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        if try ModelFolder.className(of: folder) == LeRobotConfiguration.className {
            return try PolicyModel(name: folder, leRobotFolder: folder).evaluate(leRobotRows: file, threads: threads)
        }
        let network = try ConditionalUnet1D(folder: ModelFolder.networkFolder(in: folder))
        let dimension = network.configuration.conditionDimension
        let rows = NetworkRows(file: file)
        let shape = try rows.shape(of: "sample", ["N", "positions", "\(network.configuration.inputDimension)"])
        let condition = dimension == 0 ? [] : try file.floats(named: "global_cond", shape: [shape[0], dimension])
        return [try network.evaluate("sample", of: rows, shape: shape, condition: condition, threads: threads)]
    }
}

extension ConditionalUnet1D {
    /// `output` for the sequences `sample` of a file and its `timestep`.
    func evaluate(
        _ sample: String, of rows: NetworkRows, shape: [Int], condition: [Float], threads: Int
    ) throws -> NamedTensor {
        let output = try self(
            sample: rows.file.floats(named: sample), batch: shape[0], positions: shape[1],
            timesteps: rows.timesteps(shape[0]), condition: condition, threads: threads)
        return NamedTensor("output", shape: shape, values: output)
    }
}
