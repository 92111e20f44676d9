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

    init(
        schedule: any NoiseSchedule, scheduleName: String, prediction: PredictionKind, timeInput: TimeInput,
        ancestral: (betas: BetaSchedule, options: AncestralOptions)? = nil
    ) {
        self.schedule = schedule
        self.scheduleName = scheduleName
        self.prediction = prediction
        self.timeInput = timeInput
        self.ancestral = ancestral
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
                timeInput: .scaled(Double(try (scheduler ?? SchedulerConfiguration()).trainingSteps(file: file ?? ""))))
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

    /// The steps of the model's own DDPM scheduler and where it clips `x̂0`; nil if it has none.
    /// - Parameter spacing: takes the place of the scheduler's own.
    /// - Throws: `DiffusionError` for more steps than the model was trained with, or none.
    public func ancestralSteps(
        _ count: Int, spacing: AncestralDDPM.Spacing? = nil
    ) throws(DiffusionError) -> (steps: [DenoisingStep], bounds: ClosedRange<Double>?)? {
        guard let (betas, options) = ancestral else { return nil }
        let timesteps = try AncestralDDPM.timesteps(
            spacing ?? options.spacing, steps: count, trainingSteps: betas.trainingSteps, offset: options.offset)
        return (try AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: options.variance), options.bounds)
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
            let weights = prediction.denoisingCoefficients(schedule, at: query.time)
            let start = row * query.state.count
            return query.state.indices.map {
                weights.state * query.state[$0] + weights.output * Double(output[start + $0])
            }
        }
    }
}
