import Couplings
import Diffusion
import Models
import Reports
import Statistics

/// Samples of a mixture, many at a time on several cores.
struct MixtureRun {
    let target: MixtureModel
    /// The smaller network of drafts; nil for the single Gaussian of the mixture's moments.
    let draftModel: MixtureModel?
    let chain: ChainRecipe
    let speculation: SpeculationRecipe
    let count: Int
    let seed: UInt64
    let threads: Int

    private static let lanes = 8

    /// What a run made, and its costs.
    struct Samples {
        let states: [[Double]]
        let costs: [SamplingCost]
        let isExact: Bool
        let seconds: Double
        var nfe: CountSummary { .init(costs.map(\.calls)) }
    }

    /// - Parameter onRound: called from any thread with the steps that were decided.
    func run(onRound: @Sendable (Int) throws -> Void = { _ in }) throws -> Samples {
        let random = RandomSource(seed: seed)
        let labels = target.isExactScore ? [] : target.labels(count: count, random: random)
        let chain = try target.chain(chain, subjects: labels, threads: 1)
        let companions = try MixtureCompanions(
            of: target, draftModel: draftModel, recipe: self.chain, labels: labels)
        let sampler = try speculation.sampler(
            over: chain, companions: companions, random: random, lanes: Self.lanes, threads: 1)
        let clock = ContinuousClock.now
        let finished = try sampler.runConcurrently(samples: 0..<count, lanes: Self.lanes, threads: threads) {
            try onRound($0.visits.count)
        }
        return Samples(
            states: finished.map(\.state), costs: finished.map(\.cost), isExact: sampler.isExact,
            seconds: (ContinuousClock.now - clock).seconds)
    }
}
