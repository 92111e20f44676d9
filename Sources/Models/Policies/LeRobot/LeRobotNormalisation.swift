import NeuralNetwork

/// How LeRobot maps numbers for its networks, and back.
enum LeRobotNormalisation: String, CaseIterable {
    case identity = "IDENTITY"
    case meanAndDeviation = "MEAN_STD"
    case extremes = "MIN_MAX"
    case quantiles = "QUANTILES"
    case tenthQuantiles = "QUANTILE10"

    /// - Throws: `CheckpointError` for a word that is none of these, in any case of letters.
    init(_ value: JSON, key: String, _ reader: ConfigurationReader) throws {
        guard let normalisation = value.string.flatMap({ Self(rawValue: $0.uppercased()) }) else {
            throw reader.unsupported(
                key, value, supported: Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = normalisation
    }

    /// By the kind of feature; kinds that these policies do not have are passed over.
    static func mapping(
        _ value: JSON, key: String, _ reader: ConfigurationReader
    ) throws -> [LeRobotConfiguration.FeatureType: LeRobotNormalisation] {
        guard case .object(let members) = value else {
            throw reader.unsupported(key, value, supported: "an object of ways of normalising by kind of feature")
        }
        var result: [LeRobotConfiguration.FeatureType: LeRobotNormalisation] = [:]
        for member in members {
            let mode = try LeRobotNormalisation(member.value, key: "\(key).\(member.key)", reader)
            if let type = LeRobotConfiguration.FeatureType(rawValue: member.key) { result[type] = mode }
        }
        return result
    }

    /// The statistics that it goes by.
    var statistics: (first: String, second: String)? {
        switch self {
        case .identity: nil
        case .meanAndDeviation: ("mean", "std")
        case .extremes: ("min", "max")
        case .quantiles: ("q01", "q99")
        case .tenthQuantiles: ("q10", "q90")
        }
    }

    /// - Parameters:
    ///   - first: the lowest value, or the mean.
    ///   - second: the highest value, or the standard deviation.
    ///   - epsilon: LeRobot's guard against divisions by zero.
    func scaling(_ first: Double, _ second: Double, epsilon: Double) -> NumberScaling {
        switch self {
        case .identity: .identity
        case .meanAndDeviation: NumberScaling(origin: first, unit: second + epsilon, restoredUnit: second)
        case .extremes, .quantiles, .tenthQuantiles: .range(first, second, leastRange: epsilon)
        }
    }
}
