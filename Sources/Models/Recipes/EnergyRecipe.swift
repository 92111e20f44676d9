import Diffusion

/// A built-in energy and its parameters.
public struct EnergyRecipe: Codable, Equatable, Sendable {
    public enum Kind: String, CaseIterable, Codable, Sendable {
        /// On a periodic lattice.
        case phi4
        /// A badly scaled one.
        case gaussian
        /// Of Gaussians.
        case mixture
        /// The posterior of a logistic regression on a synthetic table.
        case logistic
    }

    public var kind = Kind.phi4
    /// φ⁴: coupling of neighbours.
    public var beta = 100.0
    /// φ⁴: sites a side.
    public var lattice = 8
    /// gaussian, mixture: dimension.
    public var dimension = 8
    /// gaussian: the largest precision, the smallest being 1.
    public var condition = 100.0
    /// mixture: number of components.
    public var components = 4
    /// mixture: seed of the components.
    public var seed: UInt64 = 0

    public init() {}

    public func validate() throws(RecipeError) {
        guard (3...512).contains(lattice) else {
            throw RecipeError("lattice", "must be from 3 to 512, found \(lattice).")
        }
        guard beta >= 0, beta.isFinite else {
            throw RecipeError("beta", "must be a finite number of at least 0, found \(beta).")
        }
        guard (1...65536).contains(dimension) else {
            throw RecipeError("dimension", "must be from 1 to 65536, found \(dimension).")
        }
        guard condition >= 1, condition.isFinite else {
            throw RecipeError("condition", "must be a finite number of at least 1, found \(condition).")
        }
        guard (1...1024).contains(components) else {
            throw RecipeError("components", "must be from 1 to 1024, found \(components).")
        }
    }

    public func load() throws -> Energy {
        try validate()
        switch kind {
        case .phi4: return try .phi4(side: lattice, coupling: beta)
        case .gaussian: return try .gaussian(dimension: dimension, condition: condition)
        case .mixture:
            return try .mixture(GaussianMixture.randomComponents(count: components, dimension: dimension, seed: seed))
        case .logistic:
            guard let table = LabelledTable.synthetic else {
                throw DiffusionError("synthetic table", expected: "finite rows", found: "others")
            }
            return try .logisticRegression(table)
        }
    }

    public var summary: String {
        switch kind {
        case .phi4: "phi4, β = \(beta), \(lattice)×\(lattice)"
        case .gaussian: "gaussian, dimension \(dimension), condition \(condition)"
        case .mixture: "mixture of \(components), dimension \(dimension), seed \(seed)"
        case .logistic: "logistic regression, 200 rows, 8 coefficients"
        }
    }
}
