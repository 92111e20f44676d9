import NeuralNetwork

/// What stands before and behind a LeRobot policy: the statistics that observations are normalised by, and actions restored.
/// They are in `policy_preprocessor.json`, `policy_postprocessor.json` and the files these name, or, in older folders, among
/// the weights.
struct LeRobotProcessors {
    /// New names of observations by those that the robot has for them.
    private(set) var renamedObservations: [String: String] = [:]
    private let inputs: Normaliser
    private let outputs: Normaliser

    /// What normalises some features.
    private struct Normaliser {
        /// What errors name.
        let file: String
        /// By kind of feature; nil for the configuration's.
        var normalisations: [LeRobotConfiguration.FeatureType: LeRobotNormalisation]?
        /// The observations that are normalised at all; nil for all.
        var keys: Set<String>?
        var epsilon = 1e-8
        /// `[count]`, of a feature and a statistic; nil where the file has none.
        let statistics: (_ feature: String, _ statistic: String) throws -> [Float]?
    }

    static let preprocessorFile = "policy_preprocessor.json"
    static let postprocessorFile = "policy_postprocessor.json"

    /// - Parameter weights: all of `model.safetensors`.
    init(folder: String, weights: NetworkWeights) throws {
        guard let before = ModelFolder.existing(Self.preprocessorFile, in: folder) else {
            guard Self.holdsStatistics(weights) else {
                throw ModelError(
                    folder, expected: "a \(Self.preprocessorFile), or statistics in model.safetensors",
                    found: "neither",
                    remedy: "save the policy with its processors, or put those of its training beside it")
            }
            inputs = Self.among(weights, layers: ["normalize_inputs"])
            outputs = Self.among(weights, layers: ["unnormalize_outputs", "normalize_targets"])
            return
        }
        guard let after = ModelFolder.existing(Self.postprocessorFile, in: folder) else {
            throw ModelError(
                folder, expected: "a \(Self.postprocessorFile) beside \(Self.preprocessorFile)", found: "none",
                remedy: "save the policy with both of its processors")
        }
        let preprocessor = try Pipeline(path: before, knownSteps: Self.stepsBefore)
        inputs = try preprocessor.normaliser("normalizer_processor", in: folder)
        outputs = try Pipeline(path: after, knownSteps: Self.stepsAfter)
            .normaliser("unnormalizer_processor", in: folder)
        renamedObservations = try preprocessor.renamedObservations()
    }

    private static let stepsBefore = [
        "rename_observations_processor", "to_batch_processor", "device_processor", "normalizer_processor",
    ]
    private static let stepsAfter = ["unnormalizer_processor", "device_processor"]

    /// The scalings of a feature: of each of its numbers, or of each channel of its pictures.
    func scalings(_ feature: LeRobotConfiguration.Feature, _ configuration: LeRobotConfiguration) throws
        -> [NumberScaling]
    {
        let normaliser = feature.type == .action ? outputs : inputs
        let count = feature.shape[0]
        let unchanged = [NumberScaling](repeating: .identity, count: count)
        if let keys = normaliser.keys, feature.type != .action, !keys.contains(feature.name) { return unchanged }
        let normalisation =
            feature.normalisation
            ?? (normaliser.normalisations ?? configuration.normalisations)[feature.type, default: .identity]
        guard let names = normalisation.statistics else { return unchanged }
        func read(_ statistic: String) throws -> [Double]? {
            guard let values = try normaliser.statistics(feature.name, statistic) else { return nil }
            guard values.count == count, values.allSatisfy(\.isFinite) else {
                throw ModelError(
                    normaliser.file, key: "\(feature.name).\(statistic)", expected: "\(count) finite numbers",
                    found: values.count == count ? "an infinity or NaN" : "\(values.count) numbers")
            }
            return values.map { Double($0) }
        }
        guard let first = try read(names.first), let second = try read(names.second) else {
            throw ModelError(
                normaliser.file, key: "\(feature.name).\(names.first)",
                expected: "\(names.first) and \(names.second), by which \(normalisation.rawValue) normalises",
                found: "one or neither of them", remedy: "compute the dataset's statistics and save the policy again")
        }
        let scalings = zip(first, second).map {
            normalisation.scaling($0, $1, epsilon: normaliser.epsilon)
        }
        guard scalings.allSatisfy({ $0.unit != 0 && $0.unit.isFinite }) else {
            throw ModelError(
                normaliser.file, key: "\(feature.name).\(names.second)",
                expected: "statistics that differ from each other",
                found: "a range of zero, and eps 0")
        }
        return scalings
    }
}

extension LeRobotProcessors {
    /// The layers that kept statistics among the weights before LeRobot had processors.
    private static let layers = ["normalize_inputs", "normalize_targets", "unnormalize_outputs"]

    /// Whether a tensor of the weights is such a statistic.
    static func isStatistic(_ tensor: String) -> Bool { layers.contains { tensor.hasPrefix("\($0).buffer_") } }

    private static func holdsStatistics(_ weights: NetworkWeights) -> Bool {
        weights.tensorNames.contains(where: isStatistic)
    }

    private static func among(_ weights: NetworkWeights, layers: [String]) -> Normaliser {
        Normaliser(file: weights.path) { feature, statistic in
            let feature = String(feature.map { $0 == "." ? "_" : $0 })
            let names = layers.map { "\($0).buffer_\(feature).\(statistic)" }
            guard let name = names.first(where: { weights.shape(of: $0) != nil }) else { return nil }
            return try weights.floats(named: name)
        }
    }

    /// The steps of one file.
    private struct Pipeline {
        let reader: ConfigurationReader
        private let steps: [(name: String, value: JSON)]

        init(path: String, knownSteps: [String]) throws {
            let reader = try ConfigurationReader(path: path)
            self.reader = reader
            guard let steps = reader.value("steps")?.array else {
                throw reader.unsupported("steps", reader.value("steps") ?? .null, supported: "a list of steps")
            }
            self.steps = try steps.map { step in
                // Steps that nobody has registered say their class.
                let name = step["registry_name"]?.string ?? step["class"]?.string ?? ""
                guard knownSteps.contains(name) else {
                    throw reader.unsupported(
                        "steps", .string(name.isEmpty ? step.description : name),
                        supported: knownSteps.joined(separator: ", "))
                }
                return (name, step)
            }
        }

        func normaliser(_ name: String, in folder: String) throws -> Normaliser {
            let own = steps.filter { $0.name == name }
            guard own.count == 1, let step = own.first?.value else {
                throw reader.unsupported(
                    "steps", .array(steps.map { .string($0.name) }), supported: "one \(name) among them")
            }
            guard let state = step["state_file"]?.string, !state.contains("/"), state.hasSuffix(".safetensors") else {
                throw reader.unsupported(
                    "state_file", step["state_file"] ?? .null,
                    supported: "the name of a safetensors file beside \(reader.file)")
            }
            guard let path = ModelFolder.existing(state, in: folder) else {
                throw ModelError(
                    folder, expected: "the \(state) that \(reader.file) names", found: "none",
                    remedy: "download it too")
            }
            let file = try SafetensorsFile(path: path)
            var normaliser = Normaliser(file: path) { feature, statistic in
                let tensor = "\(feature).\(statistic)"
                return file.shape(of: tensor) == nil ? nil : try file.floats(named: tensor)
            }
            let settings = step["config"] ?? .null
            normaliser.normalisations = try settings["norm_map"].flatMap {
                $0 == .null ? nil : try LeRobotNormalisation.mapping($0, key: "norm_map", reader)
            }
            if let keys = settings["normalize_observation_keys"]?.array {
                normaliser.keys = Set(keys.compactMap(\.string))
            }
            if let epsilon = settings["eps"], epsilon != .null {
                guard let number = epsilon.double, number >= 0, number.isFinite else {
                    throw reader.unsupported("eps", epsilon, supported: "a finite number of at least 0")
                }
                normaliser.epsilon = number
            }
            return normaliser
        }

        func renamedObservations() throws -> [String: String] {
            var result: [String: String] = [:]
            for step in steps where step.name == "rename_observations_processor" {
                guard case .object(let members) = step.value["config"]?["rename_map"] else { continue }
                for member in members {
                    guard let name = member.value.string else {
                        throw reader.unsupported("rename_map", member.value, supported: "names by names")
                    }
                    result[member.key] = name
                }
            }
            return result
        }
    }
}
