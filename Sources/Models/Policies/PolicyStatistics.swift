import NeuralNetwork

/// Between what values the observations and actions of a policy's demonstrations lay: the network sees them mapped to [-1, 1],
/// dimension by dimension.
public struct PolicyStatistics: Sendable {
    /// One dimension's least and greatest value. Where they are the same it says nothing, and becomes 0.
    struct Extent: Sendable {
        let minimum: Double
        let maximum: Double

        func normalised(_ value: Double) -> Double {
            maximum > minimum ? 2 * (value - minimum) / (maximum - minimum) - 1 : 0
        }

        func restored(_ value: Double) -> Double { minimum + (value + 1) / 2 * (maximum - minimum) }
    }

    let observation: [Extent]
    let action: [Extent]

    /// Between what values each number of an observation lay.
    public var observationRanges: [ClosedRange<Double>] { observation.map { $0.minimum...$0.maximum } }

    /// Reads the tensors `observation_minimum`, `observation_maximum` `[O]`, `action_minimum`, `action_maximum` `[A]`.
    /// - Throws: `CheckpointError` or `ModelError` if one is missing, or not a list of finite numbers in order.
    init(path: String) throws {
        let file = try SafetensorsFile(path: path)
        func extents(_ name: String) throws -> [Extent] {
            let minimum = try file.floats(named: "\(name)_minimum")
            let maximum = try file.floats(named: "\(name)_maximum", shape: [minimum.count])
            return try zip(minimum, maximum).enumerated().map { dimension, pair in
                guard pair.0 <= pair.1, pair.0.isFinite, pair.1.isFinite else {
                    throw ModelError(
                        path, key: "\(name)_maximum", expected: "finite numbers of at least \(name)_minimum",
                        found: "\(pair.1) over \(pair.0) in dimension \(dimension)")
                }
                return Extent(minimum: Double(pair.0), maximum: Double(pair.1))
            }
        }
        observation = try extents("observation")
        action = try extents("action")
    }
}
