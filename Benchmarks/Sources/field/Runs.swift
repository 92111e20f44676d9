import Couplings
import Diffusion
import Foundation
import Models

/// What a sample has cost.
struct CountedCost: Equatable {
    let calls, windows, rows: Int

    init(calls: Int, windows: Int, rows: Int) { (self.calls, self.windows, self.rows) = (calls, windows, rows) }

    init(_ cost: SamplingCost) { self.init(calls: cost.calls, windows: cost.windows, rows: cost.evaluations) }
}

/// Samples of a model, 100 steps, counted.
struct Runs {
    static let steps = 100
    let chain: DenoisingChain
    let count: Int
    let churn: Double
    let random = RandomSource(seed: 1)

    /// - Parameter name: of an image model; or mixture, which costs next to nothing: ten Gaussians in 32 dimensions, denoised
    ///   exactly.
    init(model name: String, count: Int, churn: Double) throws {
        (self.count, self.churn) = (max(1, count), churn)
        guard name == "mixture" else {
            var recipe = ChainRecipe(steps: Self.steps)
            recipe.churn = churn
            chain = try ImageModel(named: name).chain(recipe, subjects: [], threads: 1)
            return
        }
        let schedule = CosineSchedule()
        let source = RandomSource(seed: 0)
        let components = (0..<10).map { i in
            GaussianMixture.Component(
                mean: source.increment(sample: i, step: 0, dimension: 32), standardDeviation: 0.2)
        }
        chain = try DenoisingChain(
            denoiser: GaussianMixture(components: components, schedule: schedule),
            steps: ReverseDiffusion.steps(
                schedule: schedule, grid: TimeGrid(.uniform, steps: Self.steps, schedule: schedule), churn: churn))
    }

    private func row(_ name: String, _ costs: [CountedCost], against plain: [CountedCost]) {
        let calls = Mean(costs.map { Double($0.calls) })
        let rows = Mean(costs.map { Double($0.rows) })
        // The samples of a number share their noise, as far as the rules let them.
        let saved = Mean(zip(costs, plain).map { Double($1.calls - $0.calls) })
        print("| \(churn) | \(name) | \(calls.text(2)) | \(rows.text(0)) | \(saved.text(2)) |")
        fflush(nil)
    }

    private func costs(_ sampler: some Sampler<DenoisingChain>) throws -> [CountedCost] {
        var costs = [CountedCost](repeating: CountedCost(calls: 0, windows: 0, rows: 0), count: count)
        try sampler.run(samples: 0..<count, lanes: min(64, count)) { costs[$0.sample] = CountedCost($0.cost) }
        return costs
    }

    func printCalls() throws {
        print("| ε | draft, verification, window | calls | rows | calls saved |\n|---|---|---|---|---|")
        for (name, draft) in [("recycled", RecycledDraft() as any Draft), ("frozen", FrozenDraft())] {
            let window = try FixedWindow(20)
            func sampler(_ rule: any VerificationRule) -> SpeculativeSampler<DenoisingChain> {
                SpeculativeSampler(chain: chain, draft: draft, rule: rule, window: window, random: random)
            }
            let plain = try costs(sampler(ReflectionCoupling()))
            row("\(name), reflection, 20", plain, against: plain)
            row("\(name), monotone, 20", try costs(sampler(MonotoneResidualCoupling())), against: plain)
            row("\(name), rejection, 20", try costs(sampler(RejectionCoupling())), against: plain)
            let block = BlockSampler(chain: chain, draft: draft, window: window, random: random)
            row("\(name), block, 20", try costs(block), against: plain)
            row(
                "\(name), step by step with the block's noise, 20",
                try costs(
                    BlockSampler(
                        chain: chain, draft: draft, rule: StepByStep(), window: window, random: random)),
                against: plain)
        }
    }

    func printCombs() throws {
        print("| ε | window, side branches | calls | rows | calls saved |\n|---|---|---|---|---|")
        let library = try costs(
            SpeculativeSampler(chain: chain, draft: RecycledDraft(), window: try FixedWindow(20), random: random))
        let plain = try costs(CombLoop(chain: chain, random: random, window: 20))
        // The prototype has its own loop: without branches it must count what the library's counts.
        guard library == plain else {
            print("the prototype does not count as the library does: \(library) \(plain)")
            exit(1)
        }
        row("20, none", plain, against: plain)
        for window in [30, 40, 60] {
            row("\(window), none", try costs(CombLoop(chain: chain, random: random, window: window)), against: plain)
        }
        let combs: [(String, Comb)] = [
            ("20, everywhere, depth 1", .init(places: .first(20), depth: 1, sharesNoise: false)),
            ("20, first 10, depth 2", .init(places: .first(10), depth: 2, sharesNoise: false)),
            ("20, first 5, depth 4", .init(places: .first(5), depth: 4, sharesNoise: false)),
            ("20, where rejected (an oracle), depth 4", .init(places: .oracle, depth: 4, sharesNoise: false)),
            ("20, where rejected (an oracle), depth 20", .init(places: .oracle, depth: 20, sharesNoise: false)),
            ("20, first 10, depth 2, along Δ (an oracle)", .init(places: .first(10), depth: 2, sharesNoise: true)),
            ("20, where rejected, depth 20, along Δ (oracles)", .init(places: .oracle, depth: 20, sharesNoise: true)),
        ]
        for (name, comb) in combs {
            row(name, try costs(CombLoop(chain: chain, random: random, window: 20, comb: comb)), against: plain)
        }
    }

    private func costs(_ loop: CombLoop<DenoisingChain>) throws -> [CountedCost] {
        try (0..<count).map { try loop.run(sample: $0) }
    }
}

/// Algorithm 4 as a rule for windows: what block verification is to be compared with, where neither pins the noise.
private struct StepByStep: BlockRule {
    let isExact = true

    func verify(_ proposals: [GaussianProposal], randomness: inout RandomStream) -> BlockVerdict {
        for (index, proposal) in proposals.enumerated() {
            let verdict = ReflectionCoupling().verify(proposal, randomness: &randomness)
            if !verdict.isAccepted { return BlockVerdict(accepted: index, repair: verdict.state) }
        }
        return BlockVerdict(accepted: proposals.count, repair: nil)
    }
}
