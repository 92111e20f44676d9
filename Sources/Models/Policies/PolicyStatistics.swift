import NeuralNetwork

/// Between what values the observations and actions of a policy's demonstrations lay: the network sees them mapped to [-1, 1],
/// dimension by dimension.
struct PolicyStatistics: Sendable {
    /// One dimension's least and greatest value. Where they are nearly the same, a constant with the noise of its sensor, the
    /// dimension is only shifted to 0: `x - minimum`, as the public LinearNormalizer of diffusion policies has it.
    struct Extent: Sendable {
        let minimum: Double
        let maximum: Double
        let isConstant: Bool

        /// The `range_eps` of the public normaliser.
        private static let leastRange: Float = 1e-4

        init(minimum: Float, maximum: Float) {
            (self.minimum, self.maximum) = (Double(minimum), Double(maximum))
            // In single precision, in which the public normaliser decides it too.
            isConstant = maximum - minimum < Self.leastRange
        }

        var scaling: NumberScaling {
            isConstant
                ? NumberScaling(origin: minimum, unit: 1)
                : .range(minimum, maximum, leastRange: Double(Self.leastRange))
        }
    }

    let observation: [Extent]
    let action: [Extent]
    /// What is taken as constant though it varied a little, a sentence each.
    let notes: [String]

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
                return Extent(minimum: pair.0, maximum: pair.1)
            }
        }
        observation = try extents("observation")
        action = try extents("action")
        notes = [("observation", observation), ("action", action)].compactMap { name, extents in
            let constants = extents.indices.filter {
                extents[$0].isConstant && extents[$0].minimum < extents[$0].maximum
            }
            guard !constants.isEmpty else { return nil }
            return "\(path): \(name) \(constants.count == 1 ? "number" : "numbers") "
                + "\(constants.map(String.init).list) varied by less than 1e-4 in training and "
                + "\(constants.count == 1 ? "is" : "are") taken as constant, only shifted to 0"
        }
    }
}
