import Diffusion

/// Which mixture, by what score, and the chain that samples it.
public struct MixtureRecipe: Codable, Equatable, Sendable {
    /// A network trained for a mixture, which it brings; nil for the exact score.
    public var model: String?
    /// Of the exact score: dimension of the data.
    public var dimension = 2
    /// And number of components, with means uniform in [-2, 2]^d and deviations uniform in [0.1, 0.2].
    public var components = 16
    /// And their seed.
    public var mixtureSeed: UInt64 = 0
    public var chain = ChainRecipe(steps: 200, churn: 0.5)

    public init() {}

    public func validate() throws(RecipeError) {
        guard (1...1024).contains(dimension) else {
            throw RecipeError("dimension", "must be from 1 to 1024, found \(dimension).")
        }
        guard (1...1024).contains(components) else {
            throw RecipeError("components", "must be from 1 to 1024, found \(components).")
        }
        try chain.validate()
    }

    public func load() throws -> MixtureModel {
        try validate()
        if let model { return try MixtureModel(named: model) }
        return try MixtureModel(file)
    }

    /// The mixture of the exact score.
    public var file: MixtureFile {
        MixtureFile(
            seed: mixtureSeed,
            components: GaussianMixture.randomComponents(count: components, dimension: dimension, seed: mixtureSeed))
    }
}
