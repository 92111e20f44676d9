import Couplings

/// A diffusion model as a Gaussian chain whose prediction is the denoised sample `x̂0`. The steps say which one:
/// `ReverseDiffusion.steps` the discretised reverse SDE, `AncestralDDPM.steps` the DDPM posterior.
public struct DenoisingChain: GaussianChain {
    public let denoiser: any Denoiser
    public let steps: [DenoisingStep]
    public let predictionBounds: ClosedRange<Double>?
    /// `δ` of class-free guidance, `x̂0 = (1 + δ) x̂0(y, c) - δ x̂0(y, ∅)`: the whole prediction is guided, and with it both the
    /// velocity and the score that a step makes of it, as in diffusers, whose guidance scale is `1 + δ`. (DB25's (245) guides the
    /// velocity alone and leaves the score of the churn as it is: the same at churn 0, and another law above.)
    public let guidance: Double
    /// What stands for "no class" in guidance.
    private let unconditional: Condition
    private let conditions: [Condition]
    private let priors: [Condition: [Double]]
    private let start: Start?
    private let startDeviation: Double

    /// Where samples start, if not from noise alone: `Y_0 = α x + σ z`.
    public struct Start: Sendable {
        /// `α x`
        public let mean: [Double]
        /// `σ ≥ 0`
        public let standardDeviation: Double

        public init(mean: [Double], standardDeviation: Double) {
            (self.mean, self.standardDeviation) = (mean, standardDeviation)
        }
    }

    /// - Parameters:
    ///   - denoiser: the network.
    ///   - steps: where it is asked, and what is made of the answer.
    ///   - conditions: sample `i` gets number `i` modulo their count. Empty: no conditioning.
    ///   - guidance: `δ`; 0 for none, which also halves the rows.
    ///   - unconditional: what stands for "no class" in guidance.
    ///   - predictionBounds: where `x̂0` is clipped to; nil for nowhere.
    ///   - priors: about what the network denoises pure noise to, for each condition; drafts start from it.
    ///   - start: where samples start; nil for noise alone.
    ///   - startDeviation: of that noise, see `NoiseSchedule.startDeviation`.
    /// - Throws: `DiffusionError` for steps, a guidance or a deviation that are not finite.
    public init(
        denoiser: any Denoiser, steps: [DenoisingStep], conditions: [Condition] = [], guidance: Double = 0,
        unconditional: Condition = .none, predictionBounds: ClosedRange<Double>? = nil,
        priors: [Condition: [Double]] = [:], start: Start? = nil, startDeviation: Double = 1
    ) throws(DiffusionError) {
        if let start, start.mean.count != denoiser.dimension || !Vector.squaredNorm(start.mean).isFinite {
            throw DiffusionError(
                "start", expected: "\(denoiser.dimension) finite numbers", found: "\(start.mean.count)")
        }
        guard startDeviation >= 0, startDeviation.isFinite else {
            throw DiffusionError(
                "deviation of the start", expected: "a finite number ≥ 0", found: "\(startDeviation)")
        }
        guard guidance.isFinite else {
            throw DiffusionError("guidance", expected: "a finite number", found: "\(guidance)")
        }
        for (k, step) in steps.enumerated() {
            let transition = step.transition
            guard transition.standardDeviation >= 0, transition.standardDeviation.isFinite,
                transition.stateCoefficient.isFinite, transition.predictionCoefficient.isFinite
            else {
                throw DiffusionError(
                    "step \(k) of the chain", expected: "finite coefficients and a standard deviation ≥ 0",
                    found:
                        "\(transition.stateCoefficient), \(transition.predictionCoefficient) and \(transition.standardDeviation)",
                    remedy: "change churn, schedule or number of steps")
            }
        }
        self.denoiser = denoiser
        self.steps = steps
        self.conditions = conditions.isEmpty ? [.none] : conditions
        self.guidance = guidance
        self.unconditional = unconditional
        self.predictionBounds = predictionBounds
        self.start = start
        self.startDeviation = startDeviation
        self.priors = priors.filter { $0.value.count == denoiser.dimension }
    }

    private init(_ chain: DenoisingChain, denoiser: any Denoiser) {
        self.denoiser = denoiser
        (steps, conditions, guidance) = (chain.steps, chain.conditions, chain.guidance)
        (unconditional, predictionBounds, priors) = (chain.unconditional, chain.predictionBounds, chain.priors)
        (start, startDeviation) = (chain.start, chain.startDeviation)
    }

    /// The same chain over another denoiser, one with the same answers for example that is measured or shared out.
    public func replacing(denoiser: any Denoiser) -> DenoisingChain { DenoisingChain(self, denoiser: denoiser) }

    public func initialState(sample: Int, noise: [Double]) -> [Double] {
        guard let start else { return startDeviation == 1 ? noise : noise.map { startDeviation * $0 } }
        return Vector.combine(1, start.mean, start.standardDeviation, noise)
    }

    public var stepCount: Int { steps.count }
    public var dimension: Int { denoiser.dimension }
    public var rowsPerQuery: Int { guidance == 0 ? 1 : 2 }
    public func transition(at step: Int) -> GaussianTransition { steps[step].transition }
    public func mean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        mean(
            of: steps[step].transition, state: state, prediction: prediction, clippedShare: steps[step].clippedShare)
    }
    public func deterministicMean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        mean(of: steps[step].flow ?? steps[step].transition, state: state, prediction: prediction)
    }
    public func condition(ofSample sample: Int) -> Condition { conditions[sample % conditions.count] }

    public func priorPrediction(sample: Int) -> [Double]? {
        guard let conditional = priors[condition(ofSample: sample)] else { return nil }
        if guidance == 0 { return conditional }
        return priors[unconditional].map { Vector.combine(1 + guidance, conditional, -guidance, $0) }
    }

    public func predictions(for queries: [ChainQuery]) throws -> [[Double]] {
        let conditional = queries.map {
            DenoiserQuery(state: $0.state, time: steps[$0.step].time, condition: condition(ofSample: $0.sample))
        }
        if guidance == 0 { return try checked(denoiser.denoised(conditional), queries) }

        let free = conditional.map { DenoiserQuery(state: $0.state, time: $0.time, condition: unconditional) }
        let both = try denoiser.denoised(conditional + free)
        let guided = queries.indices.map {
            Vector.combine(1 + guidance, both[$0], -guidance, both[queries.count + $0])
        }
        return try checked(guided, queries)
    }

    /// A state that is not a number would be rejected for ever after; better to say where it arose.
    private func checked(_ predictions: [[Double]], _ queries: [ChainQuery]) throws -> [[Double]] {
        for (prediction, query) in zip(predictions, queries) where !Vector.squaredNorm(prediction).isFinite {
            throw DiffusionError(
                "network output for sample \(query.sample) at step \(query.step)", expected: "finite numbers",
                found: "an infinity or NaN", remedy: "lower churn or guidance, take more steps, or check the weights")
        }
        return predictions
    }
}
