import Diffusion

/// The schedules that go by a name alone.
public enum NamedSchedule: String, CaseIterable, Codable, Sendable {
    case cosine, flow
    case linearVariance = "vp-linear"

    /// - Parameters:
    ///   - minimalRate, maximalRate: `β_min`, `β_max` of `vp-linear`; nil for 0.1 and 20.
    public func schedule(
        minimalRate: Double? = nil, maximalRate: Double? = nil
    ) throws(DiffusionError) -> any NoiseSchedule {
        switch self {
        case .cosine: CosineSchedule()
        case .flow: FlowSchedule()
        case .linearVariance:
            try LinearVarianceSchedule(minimalRate: minimalRate ?? 0.1, maximalRate: maximalRate ?? 20)
        }
    }
}
