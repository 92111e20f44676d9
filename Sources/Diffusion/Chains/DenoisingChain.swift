import Couplings

/// One step of a chain that denoises: where the network is asked, and what is made of its answer.
public struct DenoisingStep: Sendable {
    /// Noise time `t_k` of the state that enters the step.
    public let time: Double
    public let transition: GaussianTransition

    public init(time: Double, transition: GaussianTransition) {
        self.time = time
        self.transition = transition
    }
}

/// A diffusion model as a Gaussian chain whose prediction is the denoised sample `x̂0`. The steps say which one:
/// `ReverseDiffusion.steps` the discretised reverse SDE, `AncestralDDPM.steps` the DDPM posterior.
public struct DenoisingChain: GaussianChain {
    public let denoiser: any Denoiser
    public let steps: [DenoisingStep]
    public let predictionBounds: ClosedRange<Double>?
    /// `δ` of class-free guidance (DB25 245): `x̂0 = (1 + δ) x̂0(y, c) - δ x̂0(y, ∅)`.
    public let guidance: Double
    /// The label that stands for no class in the network's embedding, for guidance.
    private let unconditional: Int?
    private let conditions: [Int?]
    private let priors: [Int?: [Double]]

    /// - Parameters:
    ///   - conditions: class labels; sample `i` gets number `i` modulo their count. Empty: no conditioning.
    ///   - priors: about what the network denoises pure noise to, for each condition; drafts start from it.
    ///   - guidance: `δ`; 0 for none, which also halves the rows.
    /// - Throws: `DiffusionError` for steps or a guidance that are not finite.
    public init(
        denoiser: any Denoiser, steps: [DenoisingStep], conditions: [Int?] = [], guidance: Double = 0,
        unconditional: Int? = nil, predictionBounds: ClosedRange<Double>? = nil, priors: [Int?: [Double]] = [:]
    ) throws(DiffusionError) {
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
                    found: "\(transition.standardDeviation) as its standard deviation",
                    remedy: "change churn, schedule or number of steps")
            }
        }
        self.denoiser = denoiser
        self.steps = steps
        self.conditions = conditions.isEmpty ? [nil] : conditions
        self.guidance = guidance
        self.unconditional = unconditional
        self.predictionBounds = predictionBounds
        self.priors = priors.filter { $0.value.count == denoiser.dimension }
    }

    public var stepCount: Int { steps.count }
    public var dimension: Int { denoiser.dimension }
    public var rowsPerQuery: Int { guidance == 0 ? 1 : 2 }
    public func transition(at step: Int) -> GaussianTransition { steps[step].transition }
    public func condition(ofSample sample: Int) -> Int? { conditions[sample % conditions.count] }

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
