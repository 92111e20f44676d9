import Diffusion
import NeuralNetwork

/// `config.json` of a diffusion policy that LeRobot has saved, of its versions 0.1 to 0.6 and of the folders on its hub before
/// them; absent keys take its defaults.
struct LeRobotConfiguration {
    /// LeRobot's `type` of such policies.
    static let className = "diffusion"

    /// What kind of thing a feature is, as LeRobot calls it.
    enum FeatureType: String, CaseIterable {
        case visual = "VISUAL"
        case state = "STATE"
        case environment = "ENV"
        case action = "ACTION"
    }

    struct Feature {
        let name: String
        let type: FeatureType
        let shape: [Int]
        /// Of the oldest files, which say it feature by feature.
        var normalisation: LeRobotNormalisation?
    }

    let file: String
    /// In the order of the file.
    let inputs: [Feature]
    let action: Feature
    /// By `FeatureType`; what is missing is not normalised.
    let normalisations: [FeatureType: LeRobotNormalisation]
    let observationSteps: Int
    let horizon: Int
    /// How many actions of a plan are taken before the next.
    let actionSteps: Int
    /// `K` that LeRobot takes.
    let inferenceSteps: Int
    let usesDDIM: Bool
    /// In the words of diffusers' file of the same.
    let scheduler: JSON
    let network: ConditionalUnet1DConfiguration
    /// nil for a policy without cameras.
    let encoder: VisionEncoderConfiguration?
    let hasEncoderForEachCamera: Bool

    /// Whether a file is such a policy's. The oldest do not say their type.
    static func describes(_ reader: ConfigurationReader) -> Bool {
        guard reader.value("_class_name") == nil else { return false }
        return reader.value("type")?.string == className || reader.value("noise_scheduler_type") != nil
    }

    /// The state's and the environment's numbers of each step, and the action's, lie in this range.
    private static let sizes = 1...65_536

    init(path: String) throws {
        let reader = try ConfigurationReader(path: path)
        file = path
        try Self.checkKeys(reader)
        let features = try Self.features(reader)
        inputs = features.inputs
        action = features.action
        normalisations = try Self.normalisations(reader)
        observationSteps = try reader.integer("n_obs_steps", in: 1...1024) ?? 2
        horizon = try reader.integer("horizon", in: 1...ConditionalUnet1DConfiguration.longestHorizon) ?? 16
        actionSteps = try reader.integer("n_action_steps", in: 1...horizon) ?? 8
        guard actionSteps <= horizon - observationSteps + 1 else {
            throw reader.unsupported(
                "n_action_steps", .integer(actionSteps),
                supported: "at most horizon - n_obs_steps + 1, \(horizon - observationSteps + 1)")
        }
        usesDDIM = try reader.choice("noise_scheduler_type", SchedulerType.self) == .ddim
        let trainingSteps = try reader.integer("num_train_timesteps", in: 1...1_000_000) ?? 100
        inferenceSteps = try reader.integer("num_inference_steps", in: 1...trainingSteps) ?? trainingSteps
        scheduler = try Self.scheduler(reader, isDDIM: usesDDIM, trainingSteps: trainingSteps)

        let hasCameras = inputs.contains { $0.type == .visual }
        let encoder = hasCameras ? try VisionEncoderConfiguration(reader) : nil
        self.encoder = encoder
        hasEncoderForEachCamera = try reader.flag("use_separate_rgb_encoder_per_camera") ?? false
        let condition = inputs.reduce(0) {
            $0 + ($1.type == .visual ? encoder?.features ?? 0 : $1.shape.reduce(1, *))
        }
        network = try Self.network(
            reader, actions: action.shape[0], condition: observationSteps * condition, horizon: horizon)
    }

    private enum SchedulerType: String, CaseIterable { case ddpm = "DDPM", ddim = "DDIM" }
    private enum Prediction: String, CaseIterable { case epsilon, sample }

    private static func scheduler(
        _ reader: ConfigurationReader, isDDIM: Bool, trainingSteps: Int
    ) throws -> JSON {
        // Only these two are LeRobot's; the scheduler itself would know more.
        let prediction = try reader.choice("prediction_type", Prediction.self) ?? .epsilon
        var members: [JSON.Member] = [
            .init("_class_name", .string(isDDIM ? "DDIMScheduler" : "DDPMScheduler")),
            .init("num_train_timesteps", .integer(trainingSteps)),
            .init("prediction_type", .string(prediction.rawValue)),
            .init("beta_schedule", reader.value("beta_schedule") ?? .string("squaredcos_cap_v2")),
        ]
        for key in ["beta_start", "beta_end", "clip_sample", "clip_sample_range"] {
            if let value = reader.value(key) { members.append(.init(key, value)) }
        }
        return .object(members)
    }

    private static func network(
        _ reader: ConfigurationReader, actions: Int, condition: Int, horizon: Int
    ) throws -> ConditionalUnet1DConfiguration {
        func pair(_ name: String, _ value: JSON) -> String { "\"\(name)\": \(value.text)" }
        // The network's own reader checks the values; these are its names for them.
        var pairs = [
            pair("input_dim", .integer(actions)), pair("global_cond_dim", .integer(condition)),
            pair("horizon", .integer(horizon)),
            pair("down_dims", reader.value("down_dims") ?? .array([512, 1024, 2048].map { .integer($0) })),
            pair("kernel_size", reader.value("kernel_size") ?? .integer(5)),
            pair("diffusion_step_embed_dim", reader.value("diffusion_step_embed_dim") ?? .integer(128)),
            pair("cond_predict_scale", reader.value("use_film_scale_modulation") ?? .bool(true)),
        ]
        if let groups = reader.value("n_groups") { pairs.append(pair("n_groups", groups)) }
        return try ConditionalUnet1DConfiguration(
            json: "{\(pairs.joined(separator: ", "))}".utf8, file: reader.file)
    }
}

extension LeRobotConfiguration {
    /// Keys that are read, here or by the networks' and the scheduler's own configurations.
    private static let understood: Set<String> = [
        "type", "n_obs_steps", "input_features", "output_features", "input_shapes", "output_shapes",
        "input_normalization_modes", "output_normalization_modes", "normalization_mapping", "horizon", "n_action_steps",
        "vision_backbone", "resize_shape", "crop_ratio", "crop_shape", "use_group_norm",
        "spatial_softmax_num_keypoints", "use_separate_rgb_encoder_per_camera", "down_dims", "kernel_size", "n_groups",
        "diffusion_step_embed_dim", "use_film_scale_modulation", "noise_scheduler_type", "num_train_timesteps",
        "beta_schedule", "beta_start", "beta_end", "prediction_type", "clip_sample", "clip_sample_range",
        "num_inference_steps",
    ]
    /// Keys of training, of LeRobot's own devices and of its hub: they leave what is planned alone.
    private static let known: Set<String> = [
        "device", "use_amp", "push_to_hub", "repo_id", "private", "tags", "license", "pretrained_path",
        "pretrained_revision", "drop_n_last_frames", "crop_is_random", "pretrained_backbone_weights", "compile_model",
        "compile_mode", "do_mask_loss_for_padding", "gradient_checkpointing", "policy_action_contract",
        "optimizer_lr", "optimizer_betas", "optimizer_eps", "optimizer_weight_decay", "scheduler_name",
        "scheduler_warmup_steps",
    ]

    private static func checkKeys(_ reader: ConfigurationReader) throws {
        if let type = reader.value("type"), type.string != className {
            throw reader.unsupported("type", type, supported: "\"\(className)\", LeRobot's diffusion policies")
        }
        for member in reader.members where !understood.contains(member.key) && !known.contains(member.key) {
            let (key, value) = (member.key, member.value)
            if value == .null || value == .bool(false) { continue }
            throw reader.unsupported(
                key, value,
                supported: "the keys of LeRobot's diffusion policies, versions 0.1 to 0.6 (remove it if the policy was "
                    + "trained without it)")
        }
    }

    /// - Returns: what the network is conditioned on in its order: the state, the cameras, the environment.
    private static func features(_ reader: ConfigurationReader) throws -> (inputs: [Feature], action: Feature) {
        let isOld = reader.value("input_features") == nil && reader.value("input_shapes") != nil
        let inputs = try isOld ? oldFeatures(reader, "input") : features(reader, "input_features")
        let outputs = try isOld ? oldFeatures(reader, "output") : features(reader, "output_features")
        let key = isOld ? "input_shapes" : "input_features"
        func all(_ type: FeatureType) -> [Feature] { inputs.filter { $0.type == type } }
        func unsupported(_ supported: String) -> CheckpointError {
            reader.unsupported(key, .array(inputs.map { .string($0.name) }), supported: supported)
        }
        guard let state = all(.state).first, all(.state).count == 1, state.shape.count == 1 else {
            throw unsupported("one list of numbers of the type STATE, observation.state, among the inputs")
        }
        guard all(.environment).count <= 1, all(.environment).allSatisfy({ $0.shape.count == 1 }) else {
            throw unsupported("at most one list of numbers of the type ENV")
        }
        guard all(.action).isEmpty else { throw unsupported("actions among the outputs alone") }
        let cameras = all(.visual)
        guard !cameras.isEmpty || !all(.environment).isEmpty else {
            throw unsupported("a picture or the state of the environment among the inputs")
        }
        guard Set(cameras.map(\.shape)).count <= 1 else { throw unsupported("pictures that are all of one size") }
        guard outputs.count == 1, let action = outputs.first, action.type == .action, action.shape.count == 1 else {
            throw reader.unsupported(
                isOld ? "output_shapes" : "output_features", .array(outputs.map { .string($0.name) }),
                supported: "one list of numbers, action")
        }
        return ([state] + cameras + all(.environment), action)
    }

    private static func features(_ reader: ConfigurationReader, _ key: String) throws -> [Feature] {
        guard case .object(let members) = reader.value(key) else {
            throw reader.unsupported(key, reader.value(key) ?? .null, supported: "an object of features by name")
        }
        return try unique(members).map { member in
            let type = member.value["type"]?.string
            guard let type = type.flatMap(FeatureType.init) else {
                throw reader.unsupported(
                    "\(key).\(member.key).type", member.value["type"] ?? .null,
                    supported: FeatureType.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return Feature(
                name: member.key, type: type,
                shape: try shape(reader, "\(key).\(member.key).shape", member.value["shape"]))
        }
    }

    /// Of the first folders: shapes and ways of normalising by name.
    private static func oldFeatures(_ reader: ConfigurationReader, _ prefix: String) throws -> [Feature] {
        let key = "\(prefix)_shapes"
        guard case .object(let members) = reader.value(key) else {
            throw reader.unsupported(key, reader.value(key) ?? .null, supported: "an object of shapes by name")
        }
        let modes = reader.value("\(prefix)_normalization_modes")
        return try unique(members).map { member in
            let type: FeatureType =
                switch member.key {
                case _ where member.key.hasPrefix("observation.image"): .visual
                case "observation.environment_state": .environment
                case "action": .action
                default: .state
                }
            let mode = try modes?[member.key].map {
                try LeRobotNormalisation($0, key: "\(prefix)_normalization_modes.\(member.key)", reader)
            }
            return Feature(
                name: member.key, type: type, shape: try shape(reader, "\(key).\(member.key)", member.value),
                normalisation: mode ?? .identity)
        }
    }

    /// Of a name given twice the last counts, in the place of the first.
    private static func unique(_ members: [JSON.Member]) -> [JSON.Member] {
        let last = Dictionary(members.map { ($0.key, $0) }) { $1 }
        var seen: Set<String> = []
        return members.compactMap { seen.insert($0.key).inserted ? last[$0.key] : nil }
    }

    private static func shape(_ reader: ConfigurationReader, _ key: String, _ value: JSON?) throws -> [Int] {
        let numbers = value?.array?.compactMap(\.int) ?? []
        guard (1...3).contains(numbers.count), numbers.count == value?.array?.count,
            numbers.allSatisfy(sizes.contains)
        else {
            throw reader.unsupported(
                key, value ?? .null, supported: "a list of one to three numbers from 1 to \(sizes.upperBound)")
        }
        return numbers
    }

    private static func normalisations(
        _ reader: ConfigurationReader
    ) throws -> [FeatureType: LeRobotNormalisation] {
        guard let mapping = reader.value("normalization_mapping") else {
            return [.visual: .meanAndDeviation, .state: .extremes, .action: .extremes]
        }
        return try LeRobotNormalisation.mapping(mapping, key: "normalization_mapping", reader)
    }
}
