import Diffusion
import NeuralNetwork

/// `scheduler/scheduler_config.json` as diffusers' DDPM-like schedulers save it; absent keys have the defaults of the
/// scheduler that the file names.
struct SchedulerConfiguration {
    /// The keys that are read.
    private struct Values: Decodable {
        var _class_name: String?
        var num_train_timesteps: Int?
        var beta_start: Double?
        var beta_end: Double?
        var beta_schedule: String?
        var trained_betas: [Double]?
        var beta_min: Double?
        var beta_max: Double?
        var variance_type: String?
        var clip_sample: Bool?
        var clip_sample_range: Double?
        var prediction_type: String?
        var timestep_spacing: String?
        var steps_offset: Int?
        var rescale_betas_zero_snr: Bool?
        var thresholding: Bool?
        var sigma_min: Double?
        var sigma_max: Double?
        var sigma_data: Double?
        var sigma_schedule: String?
        var rho: Double?
    }

    private static let understood: Set<String> = [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "variance_type",
        "clip_sample", "clip_sample_range", "prediction_type", "timestep_spacing", "steps_offset",
        "rescale_betas_zero_snr", "thresholding",
    ]

    let file: String
    private let json: JSON
    private let values: Values
    private let scheduler: SchedulerClass
    /// What of the file our chains do not follow, a sentence each.
    let notes: [String]
    /// Whether `--chain` and `--schedule` can be advised.
    private let isPicture: Bool

    /// - Throws: `ModelError` for a file that cannot be read, and what reading its values throws.
    init(file: String, override: NamedSchedule?, isPicture: Bool) throws(ModelError) {
        try self.init(JSONFile.read(path: file), file: file, override: override, isPicture: isPicture)
    }

    /// - Parameters:
    ///   - json: the file's value.
    ///   - file: what messages call it.
    ///   - override: takes the place of the file's schedule.
    ///   - isPicture: whether the model is one of pictures, which have more options.
    /// - Throws: `ModelError` for a file that is no such configuration, for a scheduler whose noise is not known, and for
    ///   keys that may change the law.
    init(_ json: JSON, file: String, override: NamedSchedule?, isPicture: Bool) throws(ModelError) {
        let values = try JSONFile.decode(Values.self, from: json, path: file)
        let scheduler = try Self.scheduler(values, file: file, isOverridden: override != nil)
        guard case .object(let members) = json else {
            throw ModelError(file, expected: "an object", found: String(json.description.prefix(80)))
        }
        var understood = Self.understood
        switch scheduler.noise {
        case .rates: understood.formUnion(["beta_min", "beta_max"])
        case .scaled: understood.formUnion(["sigma_min", "sigma_max", "sigma_data", "sigma_schedule", "rho"])
        case .scored: understood.formUnion(["sigma_min", "sigma_max", "snr", "correct_steps"])
        case .betas, .flow: break
        }
        var notes = try SchedulerKeys.notes(
            of: members, understood: understood, allowsFlow: override == .flow,
            flowRemedy: isPicture ? "sample it with --schedule flow" : nil, file: file)
        if scheduler.name != SchedulerClass.ancestral.name {
            let own = "\(file): the noise is that of the \(scheduler.name) named there"
            notes.insert("\(own); its steps are not taken, ours are", at: 0)
        }
        if case .flow = scheduler.noise, override == nil {
            throw ModelError(
                file, key: "_class_name", expected: "a scheduler with betas, such as DDPMScheduler",
                found: scheduler.name, remedy: isPicture ? "sample it with --schedule flow" : nil)
        }
        (self.file, self.json, self.values, self.scheduler) = (file, json, values, scheduler)
        (self.notes, self.isPicture) = (notes, isPicture)
    }

    private static func scheduler(
        _ values: Values, file: String, isOverridden: Bool
    ) throws(ModelError) -> SchedulerClass {
        guard let name = values._class_name else {
            let saysBetas =
                values.trained_betas != nil || values.beta_schedule != nil || values.beta_start != nil
                || values.beta_end != nil
            guard saysBetas || isOverridden else {
                throw ModelError(
                    file, key: "_class_name", expected: "the scheduler that the network was trained with, or its betas",
                    found: "neither", remedy: "write \"_class_name\": \"DDPMScheduler\" if it was that")
            }
            return .ancestral
        }
        if let scheduler = SchedulerClass.named(name) { return scheduler }
        throw ModelError(
            file, key: "_class_name", expected: "a scheduler whose noise is known, such as DDPMScheduler", found: name,
            remedy: SchedulerClass.reasonAgainst(name)
                ?? "put there the scheduler_config.json that the network was trained with")
    }

    var trainingSteps: Int {
        get throws(ModelError) {
            let steps = values.num_train_timesteps ?? scheduler.trainingSteps
            guard (1...1_000_000).contains(steps) else {
                throw ModelError(
                    file, key: "num_train_timesteps", expected: "a number from 1 to 1000000", found: "\(steps)")
            }
            return steps
        }
    }

    /// The process of a scheduler whose noise explodes: its schedule, how its networks see it, and where its own steps lie; nil for
    /// others.
    func exploding() throws
        -> (
            schedule: VarianceExplodingSchedule, prediction: PredictionKind, scaling: NetworkScaling?,
            grid: GridDefaults
        )?
    {
        func positive(_ value: Double?, else usual: Double, _ key: String) throws(ModelError) -> Double {
            try requireValue(key)
            let value = value ?? usual
            guard value > 0, value.isFinite else {
                throw ModelError(file, key: key, expected: "a positive number", found: "\(value)")
            }
            return value
        }
        let isScaled: Bool
        switch scheduler.noise {
        case .scaled: isScaled = true
        case .scored: isScaled = false
        case .betas, .rates, .flow: return nil
        }
        var grid = GridDefaults()
        grid.lowestRatio = try positive(values.sigma_min, else: isScaled ? 0.002 : 0.01, "sigma_min")
        grid.exponent = try positive(values.rho, else: TimeGrid.usualExponent, "rho")
        let maximal = try positive(values.sigma_max, else: isScaled ? 80 : 1348, "sigma_max")
        guard grid.lowestRatio < maximal else {
            throw ModelError(
                file, key: "sigma_min", expected: "a number below sigma_max, \(maximal)", found: "\(grid.lowestRatio)")
        }
        switch values.sigma_schedule ?? (isScaled ? "karras" : "exponential") {
        case "karras": grid.spacing = .edm
        case "exponential": grid.spacing = .logarithmic
        case let name:
            throw ModelError(
                file, key: "sigma_schedule", expected: "\"karras\" or \"exponential\"", found: "\"\(name)\"")
        }
        let schedule = try VarianceExplodingSchedule(maximalNoise: maximal)
        guard isScaled else { return (schedule, .score, nil, grid) }
        let kind = try prediction()
        guard NetworkScaling.predictions.contains(kind) else {
            throw ModelError(
                file, key: "prediction_type", expected: "\"epsilon\" or \"v_prediction\"",
                found: "\"\(kind.rawValue)\"")
        }
        let scaling = NetworkScaling(dataDeviation: try positive(values.sigma_data, else: 0.5, "sigma_data"))
        return (schedule, kind, scaling, grid)
    }

    /// The schedule as the file says it.
    var scheduleName: String {
        if values.trained_betas != nil { return "trained_betas" }
        if case .betas(let family, _, _) = scheduler.noise { return values.beta_schedule ?? family.rawValue }
        return BetaSchedule.Family.linear.rawValue
    }

    func betas() throws -> BetaSchedule {
        let isRescaled = values.rescale_betas_zero_snr ?? false
        if let betas = values.trained_betas {
            if let steps = values.num_train_timesteps, steps != betas.count {
                throw ModelError(
                    file, key: "trained_betas", expected: "\(steps) numbers, as many as num_train_timesteps",
                    found: "\(betas.count)")
            }
            return try BetaSchedule(betas: betas, zeroTerminalSignal: isRescaled)
        }
        switch scheduler.noise {
        case .betas(let family, let first, let last):
            for key in ["num_train_timesteps", "beta_start", "beta_end", "beta_schedule"] { try requireValue(key) }
            return try BetaSchedule(
                family: JSONFile.value(values.beta_schedule ?? family.rawValue, key: "beta_schedule", file: file),
                trainingSteps: trainingSteps, betaStart: values.beta_start ?? first, betaEnd: values.beta_end ?? last,
                zeroTerminalSignal: isRescaled)
        case .rates(let minimal, let maximal):
            // The SDE's discretisation (Song et al. 2021, Appendix C): β_i = (β_min + i/(N-1) (β_max - β_min))/N.
            for key in ["num_train_timesteps", "beta_min", "beta_max"] { try requireValue(key) }
            let count = Double(try trainingSteps)
            return try BetaSchedule(
                family: .linear, trainingSteps: trainingSteps, betaStart: (values.beta_min ?? minimal) / count,
                betaEnd: (values.beta_max ?? maximal) / count)
        case .flow, .scaled, .scored:
            throw ModelError(file, key: "_class_name", expected: "a scheduler with betas", found: scheduler.name)
        }
    }

    /// A key may be left out, which means its default, but null is no value of it.
    private func requireValue(_ key: String) throws(ModelError) {
        guard json[key] != .null else {
            throw ModelError(file, key: key, expected: "a value", found: "null", remedy: "remove it for the default")
        }
    }

    /// How the file's own ancestral chain steps.
    /// - Throws: `ModelError` for what that chain would need and is not offered; other chains do not ask for it.
    func ancestral() throws(ModelError) -> AncestralOptions {
        let remedy = isPicture ? "use --chain sde" : nil
        if case .rates = scheduler.noise {
            throw ModelError(
                file, key: "_class_name", expected: "a scheduler with ancestral steps, such as DDPMScheduler",
                found: scheduler.name, remedy: remedy)
        }
        guard values.thresholding != true else {
            throw ModelError(file, key: "thresholding", expected: "false", found: "true", remedy: remedy)
        }
        for key in ["timestep_spacing", "steps_offset"] { try requireValue(key) }
        // diffusers draws the same noise for the "log" spelling of the small variance, and for none.
        let variance = values.variance_type == "fixed_small_log" ? "fixed_small" : values.variance_type
        guard variance.map({ AncestralDDPM.Variance(rawValue: $0) != nil }) ?? true else {
            throw ModelError(
                file, key: "variance_type",
                expected: "one of " + AncestralDDPM.Variance.allCases.map { "\"\($0.rawValue)\"" }.list,
                found: "\"\(variance ?? "")\"", remedy: remedy)
        }
        let clips = json["clip_sample"] == .null ? false : values.clip_sample ?? scheduler.clipsSample
        if clips { try requireValue("clip_sample_range") }
        let range = values.clip_sample_range ?? 1
        guard range > 0, range.isFinite else {
            throw ModelError(file, key: "clip_sample_range", expected: "a positive number", found: "\(range)")
        }
        return AncestralOptions(
            variance: try JSONFile.value(variance ?? "fixed_small", key: "variance_type", file: file),
            spacing: try JSONFile.value(
                values.timestep_spacing ?? scheduler.spacing.rawValue, key: "timestep_spacing", file: file),
            offset: values.steps_offset ?? 0, bounds: clips ? -range...range : nil)
    }

    func prediction() throws(ModelError) -> PredictionKind {
        if case .flow = scheduler.noise, values.prediction_type == nil { return .velocity }
        try requireValue("prediction_type")
        // What schedulers with betas call the velocity of a flow, which their use_flow_sigmas makes theirs.
        if values.prediction_type == "flow_prediction", let flow = json["use_flow_sigmas"], flow == .bool(true) {
            return .velocity
        }
        return try JSONFile.value(values.prediction_type ?? "epsilon", key: "prediction_type", file: file)
    }
}

/// How a DDPM's own scheduler steps.
public struct AncestralOptions: Sendable {
    public let variance: AncestralDDPM.Variance
    public let spacing: AncestralDDPM.Spacing
    public let offset: Int
    /// Where `x̂0` is clipped to.
    public let bounds: ClosedRange<Double>?
}
