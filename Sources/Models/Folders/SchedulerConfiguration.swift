import Diffusion

/// `scheduler/scheduler_config.json` as diffusers' DDPM-like schedulers save it; absent keys have diffusers' defaults.
struct SchedulerConfiguration: Decodable {
    var _class_name: String?
    var num_train_timesteps: Int?
    var beta_start: Double?
    var beta_end: Double?
    var beta_schedule: String?
    var trained_betas: [Double]?
    var variance_type: String?
    var clip_sample: Bool?
    var clip_sample_range: Double?
    var prediction_type: String?
    var timestep_spacing: String?
    var steps_offset: Int?
    var rescale_betas_zero_snr: Bool?
    var thresholding: Bool?

    func trainingSteps(file: String) throws(ModelError) -> Int {
        let steps = num_train_timesteps ?? 1000
        guard (1...1_000_000).contains(steps) else {
            throw ModelError(
                file, key: "num_train_timesteps", expected: "a number from 1 to 1000000", found: "\(steps)")
        }
        return steps
    }

    func betas(file: String) throws -> BetaSchedule {
        let isRescaled = rescale_betas_zero_snr ?? false
        if let betas = trained_betas { return try BetaSchedule(betas: betas, zeroTerminalSignal: isRescaled) }
        if beta_schedule == nil, beta_start == nil, beta_end == nil, let name = _class_name, Self.isWithoutBetas(name) {
            throw ModelError(
                file, key: "_class_name", expected: "a scheduler with betas, such as DDPMScheduler", found: name,
                remedy: name.hasPrefix("FlowMatch")
                    ? "sample it with --schedule flow" : "name the noise schedule with --schedule")
        }
        return try BetaSchedule(
            family: JSONFile.value(beta_schedule ?? "linear", key: "beta_schedule", file: file),
            trainingSteps: trainingSteps(file: file), betaStart: beta_start ?? 1e-4, betaEnd: beta_end ?? 0.02,
            zeroTerminalSignal: isRescaled)
    }

    func ancestral(file: String) throws(ModelError) -> AncestralOptions {
        guard thresholding != true else {
            throw ModelError(file, key: "thresholding", expected: "false", found: "true", remedy: "use --chain sde")
        }
        // diffusers draws the same noise for the "log" spelling of the small variance.
        let variance = variance_type == "fixed_small_log" ? "fixed_small" : variance_type
        let range = clip_sample_range ?? 1
        guard range > 0, range.isFinite else {
            throw ModelError(file, key: "clip_sample_range", expected: "a positive number", found: "\(range)")
        }
        return AncestralOptions(
            variance: try JSONFile.value(variance ?? "fixed_small", key: "variance_type", file: file),
            spacing: try JSONFile.value(timestep_spacing ?? "leading", key: "timestep_spacing", file: file),
            offset: steps_offset ?? 0, bounds: clip_sample ?? true ? -range...range : nil)
    }

    /// diffusers' schedulers whose noise is not given by betas.
    private static func isWithoutBetas(_ name: String) -> Bool {
        name.hasPrefix("FlowMatch")
            || ["ScoreSdeVeScheduler", "KarrasVeScheduler", "CMStochasticIterativeScheduler", "VQDiffusionScheduler"]
                .contains(name)
    }

    func prediction(file: String) throws(ModelError) -> PredictionKind {
        if prediction_type == nil, let name = _class_name, name.hasPrefix("FlowMatch") { return .velocity }
        return try named(file: file)
    }

    private func named(file: String) throws(ModelError) -> PredictionKind {
        try JSONFile.value(prediction_type ?? "epsilon", key: "prediction_type", file: file)
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
