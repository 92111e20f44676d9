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

    /// - Parameter samples: indices, which key the noise.
    init(
        _ options: MixtureOptions, draft: MixtureOptions.DraftName, window: Int, samples: Range<Int>, seed: UInt64,
        threads: Int, onRound: @Sendable (StepInfo) throws -> Void = { _ in }
    ) throws {
        let mixture = try options.mixture()
        let chain = try options.chain(over: mixture)
        let random = RandomSource(seed: seed)
        var sampler: any Sampler = SequentialSampler(chain: chain, random: random)
        if let draft = try options.draft(draft, mixture: mixture, target: chain) {
            sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: min(window, options.steps), random: random)
        }
        let clock = ContinuousClock.now
        let finished = try sampler.runConcurrently(samples: samples, lanes: 8, threads: threads, onRound: onRound)
        seconds = (ContinuousClock.now - clock).seconds
        states = finished.map(\.state)
        nfe = .init(finished.map(\.cost.calls))
        evaluations = .init(finished.map(\.cost.evaluations))
        let (accepted, rejected) = finished.reduce((0, 0)) { ($0.0 + $1.cost.accepted, $0.1 + $1.cost.rejected) }
        acceptance = accepted + rejected > 0 ? Double(accepted) / Double(accepted + rejected) : 0
    }
}
