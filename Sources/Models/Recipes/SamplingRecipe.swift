import NeuralNetwork

/// How samples of an image model are made: with the sample's index, all that decides its bits (but for
/// `WindowRecipe.auto`, which goes by the clock).
public struct SamplingRecipe: Codable, Equatable, Sendable {
    public var model = ModelRecipe()
    public var chain = ChainRecipe()
    /// Class names or labels, in turn; empty for all of the model's.
    public var classes: [String] = []
    public var speculation = SpeculationRecipe()
    /// Each sample is a function of it and its own index.
    public var seed: UInt64 = 0

    public init(model: ModelRecipe = .init(), chain: ChainRecipe = .init(), classes: [String] = [], seed: UInt64 = 0) {
        (self.model, self.chain, self.classes, self.seed) = (model, chain, classes, seed)
    }

    /// The same by plain sampling.
    public var plain: SamplingRecipe {
        var recipe = self
        recipe.speculation.draft = .none
        return recipe
    }
}

/// Which model, and its noise schedule where that is not to be its own.
public struct ModelRecipe: Codable, Equatable, Sendable {
    /// A folder, or a bundled model's name.
    public var name = BundledModels.defaultModel
    public var schedule: NamedSchedule?

    /// What a pipeline that reads texts is to show; nil for one that reads none.
    public var prompts: Prompts?

    /// Of the network's large products, where the network is the program's own to load; nil for f32.
    public var precision: Precision?

    public init(
        _ name: String = BundledModels.defaultModel, schedule: NamedSchedule? = nil, prompts: Prompts? = nil,
        precision: Precision? = nil
    ) {
        (self.name, self.schedule, self.prompts, self.precision) = (name, schedule, prompts, precision)
    }

    public func load() throws -> ImageModel {
        try ImageModel(named: name, schedule: schedule, prompts: prompts ?? Prompts(), precision: precision ?? .f32)
    }
}
