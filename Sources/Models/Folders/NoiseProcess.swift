import Diffusion

/// The noise that a network was trained to undo: its schedule, what the network predicts of it, and how it is told the time.
public struct NoiseProcess: Sendable {
    public let schedule: any NoiseSchedule
    /// The schedule as the file, or the option in its place, says it.
    public let scheduleName: String
    public let prediction: PredictionKind
    public let timeInput: TimeInput
    /// Its betas and how its own scheduler steps, if it is a DDPM.
    public let ancestral: (betas: BetaSchedule, options: AncestralOptions)?

    /// Whether the schedule is another than the model's own.
    let isOverridden: Bool

    public init(
        schedule: any NoiseSchedule, scheduleName: String, prediction: PredictionKind, timeInput: TimeInput,
        ancestral: (betas: BetaSchedule, options: AncestralOptions)? = nil, isOverridden: Bool = false
    ) {
        self.schedule = schedule
        self.scheduleName = scheduleName
        self.prediction = prediction
        self.timeInput = timeInput
        self.ancestral = ancestral
        self.isOverridden = isOverridden
    }

    /// What a diffusers scheduler's configuration says.
    /// - Parameters:
    ///   - file: nil where there is none and the override says all: a network that predicts noise.
    ///   - override: takes the place of the file's schedule, or of one that it lacks.
    init(schedulerFile file: String?, override: NamedSchedule? = nil) throws {
        let scheduler = try file.map { try JSONFile.decode(SchedulerConfiguration.self, path: $0) }
        let prediction = try scheduler?.prediction(file: file ?? "") ?? .noise
        if let override {
            self.init(
                schedule: try override.schedule(), scheduleName: override.rawValue, prediction: prediction,
                timeInput: .scaled(Double(try (scheduler ?? SchedulerConfiguration()).trainingSteps(file: file ?? ""))),
                isOverridden: true)
            return
        }
        let configuration = scheduler ?? SchedulerConfiguration()
        let betas = try configuration.betas(file: file ?? "")
        self.init(
            schedule: betas,
            scheduleName: configuration.trained_betas == nil
                ? configuration.beta_schedule ?? "linear" : "trained_betas",
            prediction: prediction, timeInput: .timestep(trainingSteps: betas.trainingSteps),
            ancestral: (betas, try configuration.ancestral(file: file ?? "")))
    }

    /// What the network is told of a query: its state, in single precision.
    func samples(_ queries: [DenoiserQuery], dimension: Int) -> [Float] {
        var samples: [Float] = []
        samples.reserveCapacity(queries.count * dimension)
        for query in queries { samples.append(contentsOf: query.state.lazy.map { Float($0) }) }
        return samples
    }

    /// And of the time.
    func timesteps(_ queries: [DenoiserQuery]) -> [Float] { queries.map { Float(timeInput($0.time)) } }

    /// `x̂0` from the network's output for the queries, row after row: whatever it predicts, this is linear in it.
    func denoised(_ queries: [DenoiserQuery], output: [Float]) -> [[Double]] {
        queries.enumerated().map { row, query in
            let start = row * query.state.count
            return prediction.denoised(query, output: output[start..<start + query.state.count], schedule: schedule)
        }
    }
}
