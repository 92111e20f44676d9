import Couplings
import Platform

extension Energy {
    /// A Gaussian with independent coordinates about 0: `E(x) = ½ Σ λ_i x_i²`. What Langevin dynamics makes of it is
    /// known: `N(0, 1/(λ_i (1 - γ λ_i/2)))` in each coordinate, so that plain and speculative runs can be checked.
    ///
    /// The proxy has the mean of the precisions for all of them.
    /// - Parameter precisions: `λ_i > 0`.
    /// - Throws: `DiffusionError` for others, or none.
    public static func gaussian(precisions: [Double]) throws(DiffusionError) -> Energy {
        guard !precisions.isEmpty, precisions.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw DiffusionError(
                "precisions", expected: "at least one, all positive and finite", found: "\(precisions)")
        }
        let mean = precisions.reduce(0, +) / Double(precisions.count)
        return Energy(
            dimension: precisions.count,
            value: { x in zip(precisions, x).reduce(0) { $0 + $1.0 * $1.1 * $1.1 } / 2 },
            gradient: { x in zip(precisions, x).map { $0 * $1 } },
            proxyGradient: { x in x.map { mean * $0 } },
            hessianProduct: { _, v in zip(precisions, v).map { $0 * $1 } })
    }

    /// Precisions from 1 to `condition` in equal ratios: the badly scaled bowl that every sampler is tried on.
    /// - Throws: `DiffusionError` unless the dimension is positive and the condition at least 1.
    public static func gaussian(dimension: Int, condition: Double) throws(DiffusionError) -> Energy {
        guard dimension > 0, condition >= 1, condition.isFinite else {
            throw DiffusionError(
                "Gaussian energy", expected: "a positive dimension and a condition number ≥ 1",
                found: "\(dimension) and \(condition)")
        }
        return try gaussian(
            precisions: (0..<dimension).map { pow(condition, Double($0) / Double(max(1, dimension - 1))) })
    }

    /// A mixture of isotropic Gaussians, `E(x) = -log Σ_i w_i N(x; μ_i, v_i I)` up to a constant.
    ///
    /// The proxy is the single Gaussian of the mixture's mean and mean variance.
    /// - Throws: `DiffusionError` as `GaussianMixture` does.
    public static func mixture(_ components: [GaussianMixture.Component]) throws(DiffusionError) -> Energy {
        // Near time 0 a diffusion model of the mixture is the mixture; its checks of the components serve here too.
        let mixture = try GaussianMixture(components: components, schedule: CosineSchedule())
        let dimension = mixture.dimension
        let fit = mixture.singleGaussian
        let (mean, variance) = (fit.mean, fit.standardDeviation * fit.standardDeviation)

        @Sendable func logWeights(_ x: [Double]) -> [Double] {
            components.map { component in
                let spread = component.standardDeviation * component.standardDeviation
                var squares = 0.0
                for j in x.indices {
                    let residual = x[j] - component.mean[j]
                    squares += residual * residual
                }
                return log(component.weight) - squares / (2 * spread) - Double(dimension) / 2 * log(spread)
            }
        }
        return Energy(
            dimension: dimension,
            value: { x in
                let logs = logWeights(x)
                let highest = logs.reduce(-Double.infinity, max)
                return -highest - log(logs.reduce(0) { $0 + exp($1 - highest) })
            },
            gradient: { x in
                let logs = logWeights(x)
                let highest = logs.reduce(-Double.infinity, max)
                let weights = logs.map { exp($0 - highest) }
                let total = weights.reduce(0, +)
                var result = [Double](repeating: 0, count: dimension)
                for (component, weight) in zip(components, weights) {
                    let factor = weight / total / (component.standardDeviation * component.standardDeviation)
                    for j in x.indices { result[j] += factor * (x[j] - component.mean[j]) }
                }
                return result
            },
            proxyGradient: { x in zip(x, mean).map { ($0 - $1) / variance } },
            hessianProduct: { x, v in
                // With d_i = (x - μ_i)/v_i and the weights w_i that the components have at x, ∇E = Σ w_i d_i and
                // H = Σ w_i (I/v_i - d_i d_iᵀ) + ∇E ∇Eᵀ.
                let logs = logWeights(x)
                let highest = logs.reduce(-Double.infinity, max)
                let weights = logs.map { exp($0 - highest) }
                let total = weights.reduce(0, +)
                var (gradient, result) = ([Double](repeating: 0, count: dimension), x.map { _ in 0.0 })
                for (component, weight) in zip(components, weights) {
                    let (share, precision) = (weight / total, pow(component.standardDeviation, -2))
                    let residual = zip(x, component.mean).map { ($0 - $1) * precision }
                    let along = Vector.dot(residual, v)
                    for j in x.indices {
                        gradient[j] += share * residual[j]
                        result[j] += share * (precision * v[j] - along * residual[j])
                    }
                }
                return Vector.combine(1, result, Vector.dot(gradient, v), gradient)
            })
    }
}
