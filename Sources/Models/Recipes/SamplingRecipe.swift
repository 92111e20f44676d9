import NeuralNetwork
import Platform

/// How samples of an image model are made: with the sample's index, all that decides its bits (but for
/// `WindowRecipe.auto`, which goes by the clock).
public struct SamplingRecipe: Codable, Equatable, Sendable {
    public var model = ModelRecipe()
    public var chain = ChainRecipe()
    /// Class names or labels, in turn; empty for all of the model's.
    public var classes: [String] = []
    public var speculation = SpeculationRecipe()
    /// What samples start from; nil for noise.
    public var start: StartRecipe?
    /// Each sample is a function of it and its own index.
    public var seed: UInt64 = 0

    public init(model: ModelRecipe = .init(), chain: ChainRecipe = .init(), classes: [String] = [], seed: UInt64 = 0) {
        (self.model, self.chain, self.classes, self.seed) = (model, chain, classes, seed)
    }

    /// Steps that are run: of a chain that starts from a picture only the last.
    public var stepCount: Int { start.map { StartRecipe.steps(of: chain.steps, strength: $0.strength) } ?? chain.steps }

    /// The same by plain sampling.
    public var plain: SamplingRecipe {
        var recipe = self
        recipe.speculation.draft = .none
        return recipe
    }
}

/// A picture that samples start from, by its file, see `StartingPicture`.
public struct StartRecipe: Codable, Equatable, Sendable {
    /// A PNG or JPEG as large as the samples.
    public var picture: String
    /// How much of the chain is run; above 0, at most 1.
    public var strength: Double
    /// A picture as large, white where it is to be made anew; nil for all.
    public var mask: String?

    public init(picture: String, strength: Double = 0.8, mask: String? = nil) {
        (self.picture, self.strength, self.mask) = (picture, strength, mask)
    }

    /// As many of the last of K steps as diffusers runs.
    static func steps(of count: Int, strength: Double) -> Int { min(Int(Double(count) * strength), count) }

    /// What decides the samples beside the recipe: the contents of both files.
    public func fingerprint() throws -> String {
        var fingerprint = Fingerprint()
        for file in [picture] + (mask.map { [$0] } ?? []) {
            try fingerprint.combine(file: URL(fileURLWithPath: file))
        }
        return fingerprint.text
    }

    public func validate() throws(RecipeError) {
        guard strength > 0, strength <= 1 else {
            throw RecipeError("strength", "must be \(ImageModel.strengths), found \(strength).")
        }
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
