import ArgumentParser
import Diffusion
import Models

/// A Gaussian mixture and the chain that samples it.
struct MixtureOptions: ParsableArguments {
    enum DraftName: String, CaseIterable, ExpressibleByArgument {
        case recycled
        case recycledZeroth = "recycled-zeroth"
        case frozenDenoiser = "frozen-denoiser"
        case frozen, independent, none
    }

    @Option(
        help: .init(
            "Network trained for a mixture, in place of the exact score: a model folder or a bundled model's name. It brings its mixture.",
            valueName: "dir|name"))
    var model: String?

    @Option(
        help: .init("Smaller network trained for the same mixture, for --draft independent.", valueName: "dir|name"))
    var draftModel: String?

    @Option(help: .init("Dimension of the data (default: 2).", valueName: "d"))
    var dimension: Int?

    @Option(
        help: .init(
            "Number of components, with means uniform in [-2, 2]^d and deviations uniform in [0.1, 0.2] (default: 16).",
            valueName: "n"))
    var components: Int?

    @Option(help: .init("Seed of the components (default: 0).", valueName: "S"))
    var mixtureSeed: UInt64?

    @Option(help: .init("Number of steps K of the chain.", valueName: "K"))
    var steps = 200

    @Option(help: .init("Churn ε ≥ 0: how much noise each step adds.", valueName: "ε"))
    var churn = 0.5

    func validate() throws {
        if let dimension, !(1...1024).contains(dimension) {
            throw ValidationError("--dimension must be from 1 to 1024, found \(dimension).")
        }
        if let components, !(1...1024).contains(components) {
            throw ValidationError("--components must be from 1 to 1024, found \(components).")
        }
        guard (1...1_000_000).contains(steps) else {
            throw ValidationError("--steps must be from 1 to 1000000, found \(steps).")
        }
        guard churn >= 0, churn.isFinite else {
            throw ValidationError("--churn must be a finite number of at least 0, found \(churn).")
        }
        if draftModel != nil, model == nil {
            throw ValidationError(
                "--draft-model needs --model: it is trained with labels, which the exact score doesn't take.")
        }
        if model != nil, dimension != nil || components != nil || mixtureSeed != nil {
            throw ValidationError(
                "--model brings its own mixture; leave --dimension, --components and --mixture-seed away.")
        }
    }

    /// The mixture that the options describe, or the network's.
    func file(of network: MixtureModel? = nil) -> MixtureFile {
        if let network { return network.mixture }
        let seed = mixtureSeed ?? 0
        return MixtureFile(
            seed: seed,
            components: GaussianMixture.randomComponents(count: components ?? 16, dimension: dimension ?? 2, seed: seed)
        )
    }

    func target() throws -> MixtureTarget {
        func load(_ model: String) throws -> MixtureModel { try MixtureModel(folder: BundledModels.folder(model)) }
        let network = try model.map(load)
        return try MixtureTarget(
            file: file(of: network), network: network, draftNetwork: draftModel.map(load), steps: steps, churn: churn)
    }
}
