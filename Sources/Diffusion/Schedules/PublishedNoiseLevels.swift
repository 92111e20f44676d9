import Platform

/// The noise levels `σ/α` that Sabour, Fidler and Kreis 2024 ("Align Your Steps") found best for ten steps of known
/// models, as published; the last of each is where their own samplers jump to 0.
public struct PublishedNoiseLevels: Sendable {
    /// Strictly descending.
    public let levels: [Double]

    public static let stableDiffusion15 = PublishedNoiseLevels(levels: [
        14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029,
    ])
    public static let stableDiffusionXL = PublishedNoiseLevels(levels: [
        14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029,
    ])
    public static let stableVideoDiffusion = PublishedNoiseLevels(levels: [
        700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002,
    ])

    /// The levels for another number of steps: the authors' own interpolation, linear in the logarithm over equal parts of
    /// the table, with 0 in place of the last. For ten steps it is the table.
    /// - Parameter steps: `K`, at least 1.
    /// - Returns: `K` levels and 0.
    public func ratios(steps: Int) -> [Double] {
        let inner = (0..<max(1, steps)).map { k in
            let place = Double(k) / Double(steps) * Double(levels.count - 1)
            let below = min(Int(place), levels.count - 2)
            let share = place - Double(below)
            return share == 0 ? levels[below] : exp((1 - share) * log(levels[below]) + share * log(levels[below + 1]))
        }
        return inner + [0]
    }
}
