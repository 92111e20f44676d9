import Couplings
import Diffusion
import Foundation

/// One run over samples of a mixture on several cores, with its costs.
struct MixtureRun {
    let states: [[Double]]
    let nfe: Report.Summary
    let evaluations: Report.Summary
    let acceptance: Double
    let seconds: Double

    init(
        _ target: MixtureTarget, draft: MixtureOptions.DraftName, window: Int, count: Int, seed: UInt64,
        threads: Int, onRound: @Sendable (StepInfo) throws -> Void = { _ in }
    ) throws {
        let random = RandomSource(seed: seed)
        let chain = try target.chain(count: count, random: random)
        var sampler: any Sampler = SequentialSampler(chain: chain, random: random)
        if let draft = try target.draft(draft, of: chain, count: count, random: random) {
            sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: min(window, target.steps), random: random)
        }
        let clock = ContinuousClock.now
        let finished = try sampler.runConcurrently(samples: 0..<count, lanes: 8, threads: threads, onRound: onRound)
        seconds = (ContinuousClock.now - clock).seconds
        states = finished.map(\.state)
        nfe = .init(finished.map(\.cost.calls))
        evaluations = .init(finished.map(\.cost.evaluations))
        let (accepted, rejected) = finished.reduce((0, 0)) { ($0.0 + $1.cost.accepted, $0.1 + $1.cost.rejected) }
        acceptance = accepted + rejected > 0 ? Double(accepted) / Double(accepted + rejected) : 0
    }
}
