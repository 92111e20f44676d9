import Couplings
import Platform

/// A mixture of isotropic Gaussians with its denoiser in closed form (DB25 §7, App. I.2): a target whose law is known,
/// so that exactness can be checked to any precision.
public struct GaussianMixture: Denoiser {
    public struct Component: Sendable, Equatable, Codable {
        /// Unnormalised, positive.
        public let weight: Double
        public let mean: [Double]
        /// Positive.
        public let standardDeviation: Double

        public init(weight: Double = 1, mean: [Double], standardDeviation: Double) {
            self.weight = weight
            self.mean = mean
            self.standardDeviation = standardDeviation
        }

        private enum CodingKeys: String, CodingKey {
            case weight, mean
            case standardDeviation = "standard_deviation"
        }
    }

    public let components: [Component]
    private let schedule: any NoiseSchedule

    /// - Throws: `DiffusionError` for an empty mixture, unequal dimensions, or a weight or deviation that isn't positive.
    public init(components: [Component], schedule: any NoiseSchedule) throws(DiffusionError) {
        guard let first = components.first, !first.mean.isEmpty else {
            throw DiffusionError("mixture", expected: "at least one component of dimension ≥ 1", found: "none")
        }
        for (i, component) in components.enumerated() {
            guard component.mean.count == first.mean.count, component.mean.allSatisfy(\.isFinite),
                component.weight > 0, component.weight.isFinite,
                component.standardDeviation > 0, component.standardDeviation.isFinite
            else {
                throw DiffusionError(
                    "component \(i) of the mixture",
                    expected: "\(first.mean.count) finite means, a positive weight and a positive deviation",
                    found: "\(component)")
            }
        }
        self.components = components
        self.schedule = schedule
    }

    public var dimension: Int { components[0].mean.count }

    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] { queries.map(denoised) }

    /// `E[X_0 | X_t = x] = Σ_i w_i(x) (μ_i + α v_i/(α² v_i + σ²) (x - α μ_i))`, `w` the posterior of the components.
    private func denoised(_ query: DenoiserQuery) -> [Double] {
        let (alpha, sigma) = (schedule.signal(at: query.time), schedule.noise(at: query.time))
        let x = query.state
        var logWeights: [Double] = []
        for component in components {
            let spread = component.standardDeviation * component.standardDeviation
            let variance = alpha * alpha * spread + sigma * sigma
            var squares = 0.0
            for j in x.indices {
                let residual = x[j] - alpha * component.mean[j]
                squares += residual * residual
            }
            let logDensity = -squares / (2 * variance) - Double(x.count) / 2 * log(variance)
            logWeights.append(log(component.weight) + logDensity)
        }
        let highest = logWeights.reduce(-Double.infinity, max)
        let weights = logWeights.map { exp($0 - highest) }
        let total = weights.reduce(0, +)
        var result = [Double](repeating: 0, count: x.count)
        for (component, weight) in zip(components, weights) {
            let spread = component.standardDeviation * component.standardDeviation
            let gain = alpha * spread / (alpha * alpha * spread + sigma * sigma)
            for j in x.indices {
                result[j] += weight / total * (component.mean[j] + gain * (x[j] - alpha * component.mean[j]))
            }
        }
        return result
    }
}
