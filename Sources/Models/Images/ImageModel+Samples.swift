import Couplings
import Diffusion

/// A finished picture.
public struct ImageSample: Sendable {
    /// Its number, which with the seed decides it.
    public let index: Int
    /// The class that it shows; nil for a model without classes.
    public let label: Int?
    /// That class's name, if the model has names.
    public let className: String?
    public let shape: PictureShape
    /// `[channels, height, width]`, in the model's own range; decoded, if the model is one of latents.
    public let values: [Double]
    /// The values that are shown as black and white.
    public let range: ClosedRange<Double>
    /// Network calls and rows, accepted and rejected drafts.
    public let cost: SamplingCost
    /// Whether its law is that of plain sampling.
    public let isExact: Bool
}

extension ImageModel {
    /// Samples of the model: those that the command line makes with the same settings, to the bit.
    /// - Parameters:
    ///   - count: how many; sample `i` gets class `i` modulo the number of classes.
    ///   - steps: `K`
    ///   - window: how many states are drafted and scored a call.
    ///   - classes: names or labels; empty for all of the model's in turn.
    ///   - seed: each sample is a function of it and its own index.
    ///   - draft: what proposes the window.
    /// - Returns: the samples in order. For more than memory holds see the same function with `onSample`.
    public func samples(
        _ count: Int, steps: Int = 100, window: Int = 20, classes: [String] = [], seed: UInt64 = 0,
        draft: DraftRecipe = .recycled
    ) throws -> [ImageSample] {
        var recipe = SamplingRecipe(chain: ChainRecipe(steps: steps), classes: classes, seed: seed)
        recipe.speculation = SpeculationRecipe(draft: draft, window: .fixed(window))
        var samples: [ImageSample] = []
        try self.samples(0..<max(0, count), by: recipe) { samples.append($0) }
        return samples.sorted { $0.index < $1.index }
    }

    /// Samples of the model by a recipe, handed over one by one as they are finished.
    /// - Parameters:
    ///   - indices: which.
    ///   - recipe: its model is left aside.
    ///   - draft: in place of the recipe's.
    ///   - lanes: samples under way at a time, at least 1: bounds memory, and changes no result.
    ///   - threads: cores to use; changes no result.
    ///   - onSample: is handed each sample when it is finished; not always in order.
    public func samples(
        _ indices: Range<Int>, by recipe: SamplingRecipe, draft: (any Draft)? = nil, lanes: Int = 16,
        threads: Int = Processors.available, onSample: (ImageSample) throws -> Void
    ) throws {
        guard lanes >= 1, indices.lowerBound >= 0 else {
            throw RecipeError("batch", "must be at least 1, and no sample has a negative number.")
        }
        guard !indices.isEmpty else { return }
        let sampler = try sampler(recipe, lanes: min(lanes, indices.count), threads: threads, draft: draft)
        let labels = try labels(of: recipe.classes)
        try sampler.run(samples: indices, lanes: lanes) { state in
            let label = labels.isEmpty ? nil : labels[state.sample % labels.count]
            try onSample(
                ImageSample(
                    index: state.sample, label: label,
                    className: label.flatMap(className),
                    shape: shown, values: decoder?.picture(of: state.state, threads: threads) ?? state.state,
                    range: process.range, cost: state.cost,
                    isExact: sampler.isExact))
        }
    }

    /// The sampler that a recipe describes.
    /// - Parameters:
    ///   - recipe: its model is left aside.
    ///   - lanes: samples whose rows share a call.
    ///   - threads: cores to use, at least 1; changes no result.
    ///   - denoiser: in place of the model's own, one with the same answers.
    ///   - draft: in place of the recipe's.
    public func sampler(
        _ recipe: SamplingRecipe, lanes: Int, threads: Int, denoiser: (any Denoiser)? = nil, draft: (any Draft)? = nil
    ) throws -> any Sampler<DenoisingChain> {
        var chain = try chain(recipe.chain, subjects: recipe.classes, threads: threads)
        if let denoiser { chain = chain.replacing(denoiser: denoiser) }
        return try recipe.speculation.sampler(
            over: chain, companions: companions(of: chain, recipe, threads: threads), pictures: picture,
            random: RandomSource(seed: recipe.seed), lanes: lanes, threads: threads, ownDraft: draft)
    }
}
