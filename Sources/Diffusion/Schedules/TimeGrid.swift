import Platform

/// The times `t_0 > t_1 > … > t_K = 0` at which a reverse chain is taken from noise to data.
public struct TimeGrid: Sendable {
    /// How the times are laid out.
    public enum Spacing: String, CaseIterable, Sendable {
        /// Equal steps of `t`.
        case uniform
        /// Karras et al. 2022 (EDM) (5): equal steps of `(σ/α)^{1/ρ}`, from its value at `t_0` down to a lowest one, then 0.
        case edm
        /// Equal steps of `log(σ/α)`, half the log signal-to-noise ratio, likewise: the limit of `edm` for large `ρ`.
        case logarithmic
        /// The tables of `PublishedNoiseLevels`.
        case ays15 = "ays-sd15"
        case aysXL = "ays-sdxl"
        case aysVideo = "ays-svd"
    }

    /// `ρ` of `Spacing.edm` unless told otherwise.
    public static let usualExponent = 7.0
    /// The last `σ/α` above 0 of the spacings that have one, unless told otherwise.
    public static let usualLowestRatio = 0.002

    /// `K + 1` times, descending to 0.
    public let times: [Double]
    /// `K`
    public var stepCount: Int { times.count - 1 }

    /// - Parameters:
    ///   - spacing: how the times are laid out.
    ///   - steps: `K`, 1 … 1,000,000.
    ///   - schedule: where the times start, and their noise levels.
    ///   - exponent: `ρ > 0` of `edm`, without effect on the others.
    ///   - lowestRatio: the last `σ/α` above 0 of `edm` and `logarithmic`.
    /// - Throws: `DiffusionError` for a number of steps, exponent or ratio that cannot be, and where two times coincide.
    public init(
        _ spacing: Spacing, steps: Int, schedule: some NoiseSchedule, exponent: Double = usualExponent,
        lowestRatio: Double = usualLowestRatio
    ) throws(DiffusionError) {
        guard Self.possibleSteps.contains(steps) else {
            throw DiffusionError("steps", expected: "a number from 1 to 1000000", found: "\(steps)")
        }
        guard exponent > 0, exponent.isFinite else {
            throw DiffusionError("exponent ρ of the grid", expected: "a positive number", found: "\(exponent)")
        }
        let start = schedule.maximalTime
        /// The times after the first, whose `σ/α` are equally spaced under a function with this inverse.
        func times(_ function: (Double) -> Double, inverse: (Double) -> Double) throws(DiffusionError) -> [Double] {
            let highest = schedule.noiseRatio(at: start)
            guard lowestRatio > 0, lowestRatio < highest else {
                throw DiffusionError(
                    "lowest noise of the grid", expected: "a positive number below \(highest)",
                    found: "\(lowestRatio)")
            }
            let (first, last) = (function(highest), function(lowestRatio))
            return (1..<steps).map { k in
                schedule.time(atNoiseRatio: inverse(first + Double(k) / Double(steps - 1) * (last - first)))
            }
        }
        switch spacing {
        case .uniform:
            try self.init(times: (0...steps).map { start * (Double(steps - $0) / Double(steps)) }, schedule: schedule)
        case .edm:
            let inner = try times {
                pow($0, 1 / exponent)
            } inverse: {
                pow($0, exponent)
            }
            try self.init(times: [start] + inner, schedule: schedule)
        case .logarithmic:
            try self.init(times: [start] + times(log, inverse: exp), schedule: schedule)
        case .ays15:
            try self.init(noiseRatios: PublishedNoiseLevels.stableDiffusion15.ratios(steps: steps), schedule: schedule)
        case .aysXL:
            try self.init(noiseRatios: PublishedNoiseLevels.stableDiffusionXL.ratios(steps: steps), schedule: schedule)
        case .aysVideo:
            try self.init(
                noiseRatios: PublishedNoiseLevels.stableVideoDiffusion.ratios(steps: steps), schedule: schedule)
        }
    }

    /// A grid by its noise levels `σ/α`, which are what diffusers calls sigmas.
    /// - Parameter ratios: strictly descending; 0 is added to their end unless it is there.
    /// - Throws: `DiffusionError` for ratios that the schedule does not have, or that do not descend.
    public init(noiseRatios ratios: [Double], schedule: some NoiseSchedule) throws(DiffusionError) {
        let highest = schedule.noiseRatio(at: schedule.maximalTime)
        // Published numbers are rounded, 14.615 for 14.6146.
        let roundingError = 1e-3
        for (k, ratio) in ratios.enumerated() where !(ratio >= 0 && ratio <= highest * (1 + roundingError)) {
            throw DiffusionError(
                "noise level \(k) of the time grid", expected: "a number of 0 … \(highest), as the noise schedule has",
                found: "\(ratio)", remedy: "take levels for a model of this schedule")
        }
        for (k, (ratio, next)) in zip(ratios, ratios.dropFirst()).enumerated() where !(ratio > next) {
            throw DiffusionError(
                "time grid", expected: "strictly descending noise levels", found: "\(ratio), then \(next), at \(k)")
        }
        try self.init(
            times: ratios.map { $0 == 0 ? 0 : schedule.time(atNoiseRatio: $0) } + (ratios.last == 0 ? [] : [0]),
            schedule: schedule)
    }

    /// A grid of one's own.
    /// - Parameters:
    ///   - times: noise times, strictly descending from at most the schedule's maximal time; 0 is added to their end unless
    ///     it is there.
    ///   - schedule: what they are times of.
    /// - Throws: `DiffusionError` for others, or for none above 0.
    public init(times: [Double], schedule: some NoiseSchedule) throws(DiffusionError) {
        let times = times.last == 0 ? times : times + [0]
        guard Self.possibleSteps.contains(times.count - 1) else {
            throw DiffusionError("time grid", expected: "1 to 1000000 times above 0", found: "\(times.count - 1)")
        }
        if let first = times.first, !(first <= schedule.maximalTime) {
            throw DiffusionError(
                "time grid", expected: "times up to \(schedule.maximalTime), where the noise schedule ends",
                found: "\(first)")
        }
        for (k, (time, next)) in zip(times, times.dropFirst()).enumerated() where !(time > next) {
            throw DiffusionError(
                "time grid", expected: "strictly descending times", found: "t_\(k) = \(time), t_\(k + 1) = \(next)",
                remedy: "use fewer steps or uniform spacing")
        }
        self.times = times
    }

    private static let possibleSteps = 1...1_000_000
}
