import Diffusion

/// `mixture.json`: the mixture that a network was trained for.
public struct MixtureFile: Codable, Sendable {
    /// Of `GaussianMixture.randomComponents`, if they came from there.
    public let seed: UInt64?
    public let components: [GaussianMixture.Component]

    public init(seed: UInt64?, components: [GaussianMixture.Component]) {
        self.seed = seed
        self.components = components
    }
}
