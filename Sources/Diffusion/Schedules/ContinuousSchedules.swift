import Platform

/// `α_t = cos(πt/2)`, `σ_t = sin(πt/2)`.
public struct CosineSchedule: NoiseSchedule {
    public init() {}
    /// Short of 1, where `g_t²` is infinite.
    public var maximalTime: Double { 0.995 }
    public func signal(at time: Double) -> Double { cos(.pi / 2 * time) }
    public func noise(at time: Double) -> Double { sin(.pi / 2 * time) }
    public func signalDerivative(at time: Double) -> Double { -.pi / 2 * sin(.pi / 2 * time) }
    public func noiseDerivative(at time: Double) -> Double { .pi / 2 * cos(.pi / 2 * time) }
}

/// Rectified flow: `α_t = 1 - t`, `σ_t = t`.
public struct FlowSchedule: NoiseSchedule {
    public init() {}
    /// Short of 1, where `g_t²` is infinite.
    public var maximalTime: Double { 0.995 }
    public func signal(at time: Double) -> Double { 1 - time }
    public func noise(at time: Double) -> Double { time }
    public func signalDerivative(at time: Double) -> Double { -1 }
    public func noiseDerivative(at time: Double) -> Double { 1 }
}

/// Variance preserving with a rate linear in time: `α_t = exp(-½ ∫₀ᵗ β)`, `β_t = β_min + t (β_max - β_min)`,
/// `σ_t = √(1 - α_t²)`.
public struct LinearVarianceSchedule: NoiseSchedule {
    /// `β_min`
    public let minimalRate: Double
    /// `β_max`
    public let maximalRate: Double

    /// - Throws: `DiffusionError` unless `0 ≤ β_min ≤ β_max`, `0 < β_max`, both finite.
    public init(minimalRate: Double = 0.1, maximalRate: Double = 20) throws(DiffusionError) {
        guard minimalRate >= 0, maximalRate >= minimalRate, maximalRate > 0, maximalRate.isFinite else {
            throw DiffusionError(
                "vp-linear schedule", expected: "finite rates 0 ≤ beta_min ≤ beta_max, beta_max > 0",
                found: "beta_min \(minimalRate), beta_max \(maximalRate)")
        }
        self.minimalRate = minimalRate
        self.maximalRate = maximalRate
    }

    public var maximalTime: Double { 1 }
    private func rate(at time: Double) -> Double { minimalRate + time * (maximalRate - minimalRate) }
    /// `∫₀ᵗ β`
    private func accumulatedRate(at time: Double) -> Double {
        time * (minimalRate + time / 2 * (maximalRate - minimalRate))
    }

    public func signal(at time: Double) -> Double { exp(-accumulatedRate(at: time) / 2) }
    /// By `expm1`, for `1 - α²` loses all its digits near the data.
    public func noise(at time: Double) -> Double { (-expm1(-accumulatedRate(at: time))).squareRoot() }
    public func signalDerivative(at time: Double) -> Double { -rate(at: time) / 2 * signal(at: time) }
    public func noiseDerivative(at time: Double) -> Double {
        -signal(at: time) * signalDerivative(at: time) / noise(at: time)
    }
}

/// Variance exploding: `α_t = 1`, `σ_t = σ_max t` (Song et al. 2021; Karras et al. 2022, whose time is `σ` itself). Data
/// stay as they are, and noise drowns them.
public struct VarianceExplodingSchedule: NoiseSchedule {
    /// `σ_max`
    public let maximalNoise: Double

    /// - Throws: `DiffusionError` unless `σ_max` is positive and finite.
    public init(maximalNoise: Double = 80) throws(DiffusionError) {
        guard maximalNoise > 0, maximalNoise.isFinite else {
            throw DiffusionError(
                "variance-exploding schedule", expected: "a positive finite largest noise", found: "\(maximalNoise)")
        }
        self.maximalNoise = maximalNoise
    }

    public var maximalTime: Double { 1 }
    public func signal(at time: Double) -> Double { 1 }
    public func noise(at time: Double) -> Double { maximalNoise * time }
    public func signalDerivative(at time: Double) -> Double { 0 }
    public func noiseDerivative(at time: Double) -> Double { maximalNoise }
    public func startDeviation(at time: Double) -> Double { noise(at: time) }
}
