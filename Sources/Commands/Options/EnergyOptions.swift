import ArgumentParser
import Diffusion

/// A built-in energy and its parameters.
struct EnergyOptions: ParsableArguments {
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case phi4, gaussian, mixture, logistic
    }

    @Option(
        help:
            "phi4 on a periodic lattice; a badly scaled gaussian; a mixture of Gaussians; the posterior of a logistic regression on a synthetic table."
    )
    var energy = Name.phi4

    @Option(help: .init("φ⁴: coupling of neighbours.", valueName: "β"))
    var beta = 100.0

    @Option(help: .init("φ⁴: sites a side.", valueName: "n"))
    var lattice = 8

    @Option(help: .init("gaussian, mixture: dimension.", valueName: "d"))
    var dimension = 8

    @Option(help: .init("gaussian: the largest precision, the smallest being 1.", valueName: "κ"))
    var condition = 100.0

    @Option(
        help: .init(
            "mixture: number of components, with means uniform in [-2, 2]^d and deviations in [0.1, 0.2].",
            valueName: "n"))
    var components = 4

    @Option(help: .init("mixture: seed of the components.", valueName: "S"))
    var energySeed: UInt64 = 0

    func validate() throws {
        guard (3...512).contains(lattice) else {
            throw ValidationError("--lattice must be from 3 to 512, found \(lattice).")
        }
        guard beta >= 0, beta.isFinite else {
            throw ValidationError("--beta must be a finite number of at least 0, found \(beta).")
        }
        guard (1...65536).contains(dimension) else {
            throw ValidationError("--dimension must be from 1 to 65536, found \(dimension).")
        }
        guard condition >= 1, condition.isFinite else {
            throw ValidationError("--condition must be a finite number of at least 1, found \(condition).")
        }
        guard (1...1024).contains(components) else {
            throw ValidationError("--components must be from 1 to 1024, found \(components).")
        }
    }

    func load() throws -> Energy {
        switch energy {
        case .phi4: return try .phi4(side: lattice, coupling: beta)
        case .gaussian: return try .gaussian(dimension: dimension, condition: condition)
        case .mixture:
            return try .mixture(
                GaussianMixture.randomComponents(count: components, dimension: dimension, seed: energySeed))
        case .logistic:
            guard let table = LabelledTable.synthetic else {
                throw DiffusionError("synthetic table", expected: "finite rows", found: "others")
            }
            return try .logisticRegression(table)
        }
    }

    var description: String {
        switch energy {
        case .phi4: "phi4, β = \(beta), \(lattice)×\(lattice)"
        case .gaussian: "gaussian, dimension \(dimension), condition \(condition)"
        case .mixture: "mixture of \(components), dimension \(dimension), seed \(energySeed)"
        case .logistic: "logistic regression, 200 rows, 8 coefficients"
        }
    }
}
