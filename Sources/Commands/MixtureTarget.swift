import Couplings
import Diffusion
import Models

/// What `diffspec mixture` samples: a mixture by its exact score, or a network trained for it.
struct MixtureTarget {
    let file: MixtureFile
    /// The law of the data.
    let mixture: GaussianMixture
    /// nil: the exact score, without labels.
    let network: MixtureModel?
    /// The independent draft's; nil: a single Gaussian of the mixture's moments.
    let draftNetwork: MixtureModel?
    let steps: Int
    let churn: Double

    init(
        file: MixtureFile, network: MixtureModel?, draftNetwork: MixtureModel?, steps: Int, churn: Double
    ) throws {
        self.file = file
        mixture = try GaussianMixture(components: file.components, schedule: CosineSchedule())
        (self.network, self.draftNetwork, self.steps, self.churn) = (network, draftNetwork, steps, churn)
        if let draftNetwork, draftNetwork.mixture.components != file.components {
            throw ModelError(
                "--draft-model", expected: "a network trained for the target's own mixture",
                found: "one of dimension \(draftNetwork.dimension) for another mixture")
        }
    }

    /// The target's chain for samples `0 ..< count`. A network gets the component of each sample as its label, drawn as
    /// the data draw theirs, so that the samples' law is that of the data as far as the network has learnt it.
    func chain(count: Int, random: RandomSource) throws -> DenoisingChain {
        guard let network else { return try chain(over: mixture, labels: []) }
        return try chain(over: network, labels: labels(count: count, random: random))
    }

    /// nil for plain sampling.
    func draft(
        _ name: MixtureOptions.DraftName, of target: DenoisingChain, count: Int, random: RandomSource
    ) throws -> (any Draft)? {
        switch name {
        case .recycled: return RecycledDraft()
        case .recycledZeroth: return RecycledDraft(order: .zeroth)
        case .frozenDenoiser: return FrozenDenoiserDraft()
        case .frozen: return FrozenDraft()
        case .none: return nil
        case .independent:
            guard let draftNetwork else {
                let single = try GaussianMixture(components: [mixture.singleGaussian], schedule: CosineSchedule())
                return try IndependentDraft(model: chain(over: single, labels: []), target: target)
            }
            return try IndependentDraft(
                model: chain(over: draftNetwork, labels: labels(count: count, random: random)), target: target)
        }
    }

    private func chain(over denoiser: any Denoiser, labels: [Int?]) throws -> DenoisingChain {
        let schedule = network?.schedule ?? CosineSchedule()
        let grid = try TimeGrid(.uniform, steps: steps, schedule: schedule)
        return try DenoisingChain(
            denoiser: denoiser, steps: ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: churn),
            conditions: labels)
    }

    private func labels(count: Int, random: RandomSource) -> [Int?] {
        (0..<count).map { sample in
            // Step 0 draws the data.
            var stream = random.stream(sample: sample, step: 1, purpose: .auxiliary)
            return mixture.component(at: stream.uniform())
        }
    }
}
