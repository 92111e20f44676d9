import Diffusion
import Models

extension ForeignChain {
    /// The settings that only a noise schedule heeds.
    private static let ofSchedules: [SamplerRecipe.CodingKeys] = [
        .schedule, .prediction, .timeScale, .betaMin, .betaMax, .sigmaMax, .chain, .spacing, .rho, .times,
        .eta, .denoisesLastStep, .trainingSpacing,
    ]

    /// The chain that a recipe describes, and what of its scheduler is not followed.
    /// - Throws: `RecipeError`, `ModelError` or `DiffusionError`, naming the setting.
    static func make(_ recipe: SamplerRecipe, network: ForeignNetwork) throws -> (chain: ForeignChain, notes: [String])
    {
        let dimension = try recipe.dimension()
        let guidance = recipe.sampling.chain.guidance
        try recipe.sampling.chain.validate()
        try recipe.sampling.speculation.validate(for: recipe.sampling.chain)
        try recipe.refuse([.classes], beside: "a network of one's own")
        if [recipe.coefficients != nil, recipe.langevin != nil, recipe.scheduler != nil].count(where: { $0 }) > 1 {
            throw RecipeError("schedule", "must be given in one way: a name, scheduler, coefficients or langevin.")
        }
        func chain(_ steps: [Step], bounds: ClosedRange<Double>? = nil, initialScale: Double = 1) -> ForeignChain {
            ForeignChain(
                network: network, dimension: dimension, steps: steps, predictionBounds: bounds, guidance: guidance,
                initialScale: initialScale)
        }
        let bounds = try recipe.bounds.map { try range($0) }
        if let coefficients = recipe.coefficients {
            try recipe.refuse(ofSchedules, beside: "coefficients")
            let count = coefficients.times.count
            guard !recipe.isGiven(.steps) || recipe.sampling.chain.steps == count else {
                throw RecipeError(
                    "steps", "must be those of the coefficients, \(count), found \(recipe.sampling.chain.steps).")
            }
            return (
                chain(try steps(coefficients), bounds: bounds, initialScale: coefficients.initialDeviation ?? 1), []
            )
        }
        if let langevin = recipe.langevin {
            try recipe.refuse(ofSchedules, beside: "langevin")
            // Its coefficients and the bounds of its slopes are LangevinChain's.
            let energy = try LangevinChain(
                dimension: dimension, stepCount: recipe.sampling.chain.steps, stepSize: langevin.stepSize
            ) { $0 }
            let steps = (0..<energy.stepCount).map { k in
                Step(time: Double(k), transition: energy.transition(at: k), reading: (0, 1))
            }
            return (chain(steps, bounds: bounds), [])
        }
        let noise = try process(recipe)
        let own = try noise.steps(recipe.sampling.chain)
        return (
            chain(
                own.steps.map { step in
                    Step(
                        time: noise.timeInput(step.time), transition: step.transition,
                        reading: noise.denoisingCoefficients(at: step.time),
                        inputScale: noise.inputScale(at: step.time))
                }, bounds: bounds ?? own.bounds, initialScale: own.startDeviation), noise.notes
        )
    }

    private static func range(_ bounds: [Double]) throws -> ClosedRange<Double> {
        guard bounds.count == 2, bounds[0] < bounds[1] else {
            throw RecipeError("bounds", "must be two ascending numbers, found \(bounds).")
        }
        return bounds[0]...bounds[1]
    }

    private static func steps(_ given: SamplerRecipe.Coefficients) throws -> [Step] {
        let count = given.times.count
        guard count >= 1, [given.state, given.prediction, given.deviation].allSatisfy({ $0.count == count }) else {
            let found = [given.times, given.state, given.prediction, given.deviation].map(\.count)
            throw RecipeError("coefficients", "must be four lists of the same length of at least 1, found \(found).")
        }
        guard (given.initialDeviation ?? 1).isFinite else {
            throw RecipeError("coefficients", "must have a finite initial_deviation.")
        }
        return try (0..<count).map { k in
            let (a, b, s) = (given.state[k], given.prediction[k], given.deviation[k])
            guard a.isFinite, b.isFinite, s.isFinite, s >= 0, given.times[k].isFinite else {
                throw RecipeError(
                    "coefficients", "must be finite with deviations of at least 0, found \(a), \(b), \(s) at step \(k)."
                )
            }
            return Step(
                time: given.times[k],
                transition: GaussianTransition(stateCoefficient: a, predictionCoefficient: b, standardDeviation: s),
                reading: (0, 1))
        }
    }

    private static func process(_ recipe: SamplerRecipe) throws -> NoiseProcess {
        if let scheduler = recipe.scheduler {
            try recipe.refuse([.schedule, .timeScale, .betaMin, .betaMax, .sigmaMax], beside: "a scheduler")
            let process = try NoiseProcess(scheduler: scheduler, source: "scheduler")
            guard recipe.prediction ?? process.prediction == process.prediction else {
                throw RecipeError("prediction", "must be the scheduler's, \(process.prediction.rawValue).")
            }
            return process
        }
        guard recipe.timeScale.isFinite else { throw RecipeError("time_scale", "must be a finite number.") }
        return NoiseProcess(
            schedule: try recipe.schedule.schedule(
                minimalRate: recipe.betaMin, maximalRate: recipe.betaMax, maximalNoise: recipe.sigmaMax),
            scheduleName: recipe.schedule.rawValue, prediction: recipe.prediction ?? .noise,
            timeInput: .scaled(recipe.timeScale))
    }
}
