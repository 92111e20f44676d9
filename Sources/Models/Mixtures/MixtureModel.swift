import Couplings
import Diffusion
import NeuralNetwork

/// A Gaussian mixture as the data of a diffusion model, by its exact score or by a network trained for it: a target whose
/// law is known.
public struct MixtureModel: Model {
    public static let kind = ModelKind(
        classNames: [VelocityMLPConfiguration.className], words: "a network for points of a mixture",
        command: "mixture")

    public let name: String
    /// The components, and the seed that they came from.
    public let file: MixtureFile
    /// The law of the data, and the exact score.
    public let law: GaussianMixture
    /// nil for the exact score.
    private let network: MixtureNetwork?
    public let noise: NoiseProcess

    public init(named name: String) throws {
        let network = try MixtureNetwork(folder: BundledModels.folder(name))
        self.name = name
        self.network = network
        file = network.law
        law = try GaussianMixture(components: file.components, schedule: CosineSchedule())
        noise = network.noise
    }

    /// A mixture with its exact score.
    public init(_ file: MixtureFile) throws(DiffusionError) {
        self.file = file
        name = "mixture of \(file.components.count)"
        network = nil
        law = try GaussianMixture(components: file.components, schedule: CosineSchedule())
        noise = NoiseProcess(
            schedule: CosineSchedule(), scheduleName: NamedSchedule.cosine.rawValue, prediction: .sample,
            timeInput: .scaled(1))
    }

    /// The isotropic Gaussian of the mixture's mean and variance, as the cheapest model of the same data.
    public func singleGaussian() throws(DiffusionError) -> MixtureModel {
        try MixtureModel(MixtureFile(seed: nil, components: [law.singleGaussian]))
    }

    public var dimension: Int { law.dimension }
    /// The network, or the exact score.
    public var denoiser: any Denoiser { network ?? law as any Denoiser }
    public var isExactScore: Bool { network == nil }

    public var summary: String {
        let by = network.map { "\($0.network.parameterCount) parameters (for diffspec mixture)" } ?? "its exact score"
        return "mixture of \(law.components.count) in dimension \(dimension), \(by)"
    }

    /// - Parameters:
    ///   - recipe: steps, churn and spacing.
    ///   - labels: the components that samples are to come from, for a network; see `labels`. Without a network they
    ///     are left aside: the exact score is that of the whole mixture.
    ///   - threads: cores to use, at least 1; changes no result.
    public func chain(_ recipe: ChainRecipe, subjects labels: [Int], threads: Int) throws -> DenoisingChain {
        let steps = try noise.steps(recipe)
        return try DenoisingChain(
            denoiser: denoiser, steps: steps.steps,
            conditions: network == nil ? [] : labels.map { .label($0) }, predictionBounds: steps.bounds,
            startDeviation: steps.startDeviation)
    }

    /// The component of each sample, drawn as the data draw theirs, so that the samples' law is that of the data as far as
    /// the network has learnt it.
    public func labels(count: Int, random: RandomSource) -> [Int] {
        (0..<count).map { sample in
            // Step 0 draws the data.
            var stream = random.stream(sample: sample, step: 1, purpose: .auxiliary)
            return law.component(at: stream.uniform())
        }
    }

    public static func inspection(of name: String, folder: String) throws -> any Inspection {
        MixtureInspection(name, try MixtureNetwork(folder: folder))
    }

    public static func evaluate(folder: String, rows file: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        let network = try VelocityMLP(folder: ModelFolder.networkFolder(in: folder))
        let rows = NetworkRows(file: file)
        let shape = try rows.shape(of: "sample", ["N", "\(network.configuration.dimension)"])
        let output = try network(
            sample: file.floats(named: "sample"), batch: shape[0], timesteps: rows.timesteps(shape[0]),
            classLabels: file.integers(named: "class_labels", shape: [shape[0]]), threads: threads)
        return [NamedTensor("output", shape: shape, values: output)]
    }
}

/// What drafts for a mixture need: a cheaper model, a smaller network for the same mixture or else a single Gaussian of its
/// moments.
public struct MixtureCompanions: DraftCompanions {
    private let model: MixtureModel
    private let recipe: ChainRecipe
    private let labels: [Int]

    /// - Parameters:
    ///   - target: the model that is drafted for.
    ///   - draftModel: the smaller network; nil for the single Gaussian.
    ///   - recipe: of the target's chain.
    ///   - labels: of the target's samples.
    public init(of target: MixtureModel, draftModel: MixtureModel?, recipe: ChainRecipe, labels: [Int]) throws {
        (model, self.recipe, self.labels) = (try draftModel ?? target.singleGaussian(), recipe, labels)
        if let draftModel, draftModel.file.components != target.file.components {
            throw RecipeError(
                "draft-model",
                "must be trained for the target's own mixture, found one of dimension \(draftModel.dimension) for another."
            )
        }
    }

    public func cheaperChain() throws -> DenoisingChain? { try model.chain(recipe, subjects: labels, threads: 1) }
}
