import Couplings
import Diffusion
import Models
import Platform
import Statistics

/// Learns with what weights to mix drafts, step by step, and stores them with the model.
public struct MixtureCalibration: RunResult {
    let learnt: LearntMixture
    let file: String

    public func encode(to encoder: any Encoder) throws { try learnt.encode(to: encoder) }

    /// Samples under way at a time.
    private static let lanes = 16

    /// - Parameters:
    ///   - recipe: the model, the chain and the seed; its draft is left aside.
    ///   - drafts: two or more to be mixed.
    ///   - window: `L ≥ 1`.
    ///   - parts: equal parts of the chain with weights of their own.
    ///   - count: samples a round.
    ///   - rounds: of sampling and fitting.
    ///   - threads: cores to use, at least 1; changes no result.
    ///   - monitor: is told how far the run is, and may end it.
    public static func run(
        _ recipe: SamplingRecipe, drafts: [DraftRecipe], window: Int, parts: Int, count: Int, rounds: Int, threads: Int,
        monitor: any RunMonitor = NoMonitor()
    ) throws -> MixtureCalibration {
        guard drafts.count >= 2, !drafts.contains(.none), !drafts.contains(.learntMixture) else {
            throw RecipeError(
                "drafts", "takes two or more of those that --draft knows, none and mixture:learnt excepted.")
        }
        let model = try recipe.model.load(telling: monitor)
        let path = LearntMixture.path(in: model.folder)
        try OutputError.checkWritable(file: path)
        try MemoryNeed.check(of: model, lanes: min(lanes, count), window: min(window, recipe.chain.steps))
        let chain = try model.chain(recipe.chain, subjects: recipe.classes, threads: threads)
        let companions = model.companions(of: chain, recipe, threads: threads)
        let components = try drafts.compactMap { try $0.draft(over: chain, companions: companions) }
        var draft = try MixtureDraft(components.map { (weight: 1, draft: $0) })
        var fit = MixtureFit(components: components, stepCount: chain.stepCount)
        var weights = try fit.weights(parts: parts)
        monitor.begin("calibrating", total: Double(rounds * count * chain.stepCount))
        defer { monitor.end() }
        for round in 0..<rounds {
            fit = MixtureFit(components: components, stepCount: chain.stepCount)
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: window, random: RandomSource(seed: recipe.seed))
            let samples = round * count..<(round + 1) * count
            var finished = samples.lowerBound
            try sampler.run(samples: samples, lanes: lanes) { info, active in
                try monitor.check()
                try fit.record(info.scored, chain: chain)
                let underWay = active.reduce(0) { $0 + ($1.step < chain.stepCount ? $1.step : 0) }
                monitor.update(done: Double(finished * chain.stepCount + underWay)) { _ in
                    "round \(round + 1) of \(rounds)"
                }
            } onFinished: { _ in
                finished += 1
            }
            weights = try fit.weights(parts: parts)
            draft = try MixtureDraft(components, weights: weights)
        }
        let learnt = try LearntMixture(
            fit, weights: weights, drafts: drafts, steps: recipe.chain.steps, window: window, churn: recipe.chain.churn)
        try learnt.writeJSON(to: path)
        return MixtureCalibration(learnt: learnt, file: path)
    }

    public var text: String {
        var lines = ["mean probability of rejection over \(learnt.rows) rows"]
        for (draft, rejection) in zip(learnt.drafts, learnt.rejectionAlone) {
            lines.append("  \(draft) alone  \(rejection.formatted(digits: 4))")
        }
        lines.append("  learnt mixture  \(learnt.rejection.formatted(digits: 4))")
        lines.append("wrote \(file)")
        return lines.joined(separator: "\n")
    }
}
