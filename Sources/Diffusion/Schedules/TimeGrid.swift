import Platform

/// The times `t_0 > t_1 > … > t_K = 0` at which a reverse chain is taken from noise to data.
public struct TimeGrid: Sendable {
    /// How the times are laid out.
    public enum Spacing: String, CaseIterable, Sendable {
        /// Equal steps of `t`.
        case uniform
        /// Karras et al. 2022 (EDM) (5): equal steps of `(σ/α)^{1/7}`, from its value at `t_0` down to 0.002, then 0.
        case edm
    }

    /// `K + 1` times, descending to 0.
    public let times: [Double]
    /// `K`
    public var stepCount: Int { times.count - 1 }

    /// - Parameters:
    ///   - spacing: how the times are laid out.
    ///   - steps: `K`, 1 … 1,000,000.
    ///   - schedule: where the times start, and their noise levels.
    public init(_ spacing: Spacing, steps: Int, schedule: some NoiseSchedule) throws(DiffusionError) {
        guard (1...1_000_000).contains(steps) else {
            throw DiffusionError("steps", expected: "a number from 1 to 1000000", found: "\(steps)")
        }
        let start = schedule.maximalTime
        switch spacing {
        case .uniform:
            times = (0...steps).map { start * (Double(steps - $0) / Double(steps)) }
        case .edm:
            let (exponent, lowest) = (7.0, 0.002)
            let highest = schedule.noiseRatio(at: start)
            let (first, last) = (pow(highest, 1 / exponent), pow(lowest, 1 / exponent))
            let inner = (1..<max(steps, 1)).map { k in
                let ratio = pow(first + Double(k) / Double(steps - 1) * (last - first), exponent)
                return schedule.time(atNoiseRatio: ratio)
            }
            times = [start] + inner + [0]
        }
        for (k, (time, next)) in zip(times, times.dropFirst()).enumerated() where !(time > next) {
            throw DiffusionError(
                "time grid", expected: "strictly descending times", found: "t_\(k) = \(time), t_\(k + 1) = \(next)",
                remedy: "use fewer steps or uniform spacing")
        }
    }
}
