import Diffusion
import NeuralNetwork

/// The noise that a network was trained to undo: its schedule, what the network predicts of it, and how it is told the time.
public struct NoiseProcess: Sendable {
    public let schedule: any NoiseSchedule
    /// The schedule as the file, or the option in its place, says it.
    public let scheduleName: String
    public let prediction: PredictionKind
    public let timeInput: TimeInput
    /// What its network's inputs and outputs are scaled by; nil for a network that sees the states
    /// as they are.
    public let scaling: NetworkScaling?
    /// The grid that its chains have unless told otherwise.
    public let grid: GridDefaults
    /// Its betas and how its own scheduler steps, if it is a DDPM whose steps are offered.
    public let ancestral: (betas: BetaSchedule, options: AncestralOptions)?
    /// Why they are not, where the model's scheduler asks for what is not offered; other chains do not mind.
    let ancestralRefusal: ModelError?
    /// What of the model's scheduler our chains do not follow, a sentence each.
    public let notes: [String]

    /// Whether the schedule is another than the model's own.
    let isOverridden: Bool

    public init(
        schedule: any NoiseSchedule, scheduleName: String, prediction: PredictionKind, timeInput: TimeInput,
        scaling: NetworkScaling? = nil, ancestral: (betas: BetaSchedule, options: AncestralOptions)? = nil,
        isOverridden: Bool = false
    ) {
        self.init(
            schedule: schedule, scheduleName: scheduleName, prediction: prediction, timeInput: timeInput,
            scaling: scaling, ancestral: ancestral, ancestralRefusal: nil, notes: [], isOverridden: isOverridden)
    }

    private init(
        schedule: any NoiseSchedule, scheduleName: String, prediction: PredictionKind, timeInput: TimeInput,
        scaling: NetworkScaling? = nil, grid: GridDefaults? = nil,
        ancestral: (betas: BetaSchedule, options: AncestralOptions)?, ancestralRefusal: ModelError?, notes: [String],
        isOverridden: Bool
    ) {
        self.schedule = schedule
        self.scheduleName = scheduleName
        self.prediction = prediction
        self.timeInput = timeInput
        self.scaling = scaling
        self.grid = grid ?? GridDefaults(of: schedule)
        self.ancestral = ancestral
        self.ancestralRefusal = ancestralRefusal
        self.notes = notes
        self.isOverridden = isOverridden
    }

    /// A schedule by its name, for a network that predicts noise and counts a thousand training steps.
    init(_ schedule: NamedSchedule) throws {
        self.init(
            schedule: try schedule.schedule(), scheduleName: schedule.rawValue, prediction: .noise,
            timeInput: .scaled(1000), isOverridden: true)
    }

    /// What a diffusers scheduler's configuration says.
    /// - Parameters:
    ///   - override: takes the place of the file's schedule.
    ///   - isPicture: whether the model is one of pictures, which have more options.
    init(schedulerFile file: String, override: NamedSchedule? = nil, isPicture: Bool = false) throws {
        try self.init(
            SchedulerConfiguration(file: file, override: override, isPicture: isPicture), override: override)
    }

    /// What a scheduler's configuration says that is not in a file of its own.
    /// - Parameters:
    ///   - scheduler: the configuration's JSON.
    ///   - source: what messages call it.
    package init(scheduler: JSON, source: String) throws {
        try self.init(SchedulerConfiguration(scheduler, file: source, override: nil, isPicture: false), override: nil)
    }

    private init(_ configuration: SchedulerConfiguration, override: NamedSchedule?) throws {
        if let exploding = try configuration.exploding() {
            guard override == nil else {
                throw RecipeError(
                    "schedule", "can't take the place of exploding noise, which the network's inputs are scaled by.")
            }
            let maximal = exploding.schedule.maximalNoise
            self.init(
                schedule: exploding.schedule, scheduleName: NamedSchedule.varianceExploding.rawValue,
                prediction: exploding.prediction,
                timeInput: exploding.scaling == nil ? .scaled(maximal) : .quarterLogarithm(scale: maximal),
                scaling: exploding.scaling, grid: exploding.grid, ancestral: nil, ancestralRefusal: nil,
                notes: configuration.notes, isOverridden: false)
            return
        }
        let prediction = try configuration.prediction()
        if let override {
            self.init(
                schedule: try override.schedule(), scheduleName: override.rawValue, prediction: prediction,
                timeInput: .scaled(Double(try configuration.trainingSteps)), ancestral: nil, ancestralRefusal: nil,
                notes: configuration.notes, isOverridden: true)
            return
        }
        let betas = try configuration.betas()
        var ancestral: (betas: BetaSchedule, options: AncestralOptions)?
        var refusal: ModelError?
        do { ancestral = (betas, try configuration.ancestral()) } catch { refusal = error }
        self.init(
            schedule: betas, scheduleName: configuration.scheduleName, prediction: prediction,
            timeInput: .timestep(trainingSteps: betas.trainingSteps), ancestral: ancestral, ancestralRefusal: refusal,
            notes: configuration.notes, isOverridden: false)
    }

    /// What a network's input is of a state at a time: so many times the state.
    package func inputScale(at time: Double) -> Double { scaling?.input(noise: schedule.noise(at: time)) ?? 1 }

    /// The coefficients `(c_x, c_o)` of `x̂0 = c_x x + c_o output` at a time.
    package func denoisingCoefficients(at time: Double) -> (state: Double, output: Double) {
        scaling?.output(noise: schedule.noise(at: time), of: prediction)
            ?? prediction.denoisingCoefficients(schedule, at: time)
    }

    /// What the network is told of a query: its state, in single precision.
    func samples(_ queries: [DenoiserQuery], dimension: Int) -> [Float] {
        var samples: [Float] = []
        samples.reserveCapacity(queries.count * dimension)
        for query in queries {
            let scale = inputScale(at: query.time)
            samples.append(contentsOf: query.state.lazy.map { Float(scale * $0) })
        }
        return samples
    }

    /// And of the time.
    func timesteps(_ queries: [DenoiserQuery]) -> [Float] { queries.map { Float(timeInput($0.time)) } }

    /// `x̂0` from the network's output for the queries, row after row: whatever it predicts, this is linear in it.
    func denoised(_ queries: [DenoiserQuery], output: [Float]) -> [[Double]] {
        queries.enumerated().map { row, query in
            let start = row * query.state.count
            let (ofState, ofOutput) = denoisingCoefficients(at: query.time)
            return zip(query.state, output[start..<start + query.state.count]).map {
                ofState * $0 + ofOutput * Double($1)
            }
        }
    }
}

/// The time grid of a process's chains where the user names none.
public struct GridDefaults: Sendable {
    public var spacing = TimeGrid.Spacing.uniform
    /// `ρ`
    public var exponent = TimeGrid.usualExponent
    /// The last `σ/α` above 0.
    public var lowestRatio = TimeGrid.usualLowestRatio

    public init() {}

    /// Exploding noise spans orders of magnitude, most of which equal steps of `σ` would jump over.
    init(of schedule: some NoiseSchedule) {
        if schedule is VarianceExplodingSchedule { spacing = .edm }
    }
}
