import Diffusion

/// The schedules that go by a name alone.
public enum NamedSchedule: String, CaseIterable, Codable, Sendable {
    case cosine, flow
    case linearVariance = "vp-linear"
    /// Variance exploding.
    case varianceExploding = "ve"

    /// - Parameters:
    ///   - minimalRate: `β_min` of `vp-linear`; nil for 0.1.
    ///   - maximalRate: `β_max` of `vp-linear`; nil for 20.
    ///   - maximalNoise: `σ_max` of `ve`; nil for 80.
    public func schedule(
        minimalRate: Double? = nil, maximalRate: Double? = nil, maximalNoise: Double? = nil
    ) throws(DiffusionError) -> any NoiseSchedule {
        switch self {
        case .cosine: CosineSchedule()
        case .flow: FlowSchedule()
        case .linearVariance:
            try LinearVarianceSchedule(minimalRate: minimalRate ?? 0.1, maximalRate: maximalRate ?? 20)
        case .varianceExploding: try VarianceExplodingSchedule(maximalNoise: maximalNoise ?? 80)
        }
    }
}
