import Diffusion

/// A few trajectories, one at a time, and what each of their calls asked for.
struct Trial {
    let nfe: Double
    let evaluations: Double
    let acceptance: Double
    /// Mean over decided drafts of the acceptance that their distance predicts.
    let predictedAcceptance: Double
    /// Queries of every call.
    private let calls: [Int]
    private let count: Int
    private let rowsPerQuery: Int
    private let dimension: Int
    /// What drafting and verifying takes, a draft's own network with it.
    private let overhead: Double

    /// - Parameter onRound: told after every round how many steps are decided.
    init(
        _ sampler: any Sampler<DenoisingChain>, measuring denoiser: MeasuredDenoiser, count: Int,
        onRound: (_ steps: Int) throws -> Void
    ) throws {
        var (accepted, decided, predicted, finished) = (0, 0, 0.0, 0)
        let stepCount = sampler.chain.stepCount
        let start = ContinuousClock.now
        try sampler.run(samples: 0..<count, lanes: 1) { info, active in
            try onRound(finished * stepCount + active.reduce(0) { $0 + ($1.step < stepCount ? $1.step : 0) })
            decided += info.decisions.count
            accepted += info.decisions.count { $0.isAccepted }
            predicted += info.decisions.reduce(0) { $0 + $1.acceptance }
        } onFinished: { _ in
            finished += 1
        }
        let log = denoiser.calls
        overhead = max(0, (ContinuousClock.now - start).seconds - log.reduce(0) { $0 + $1.seconds })
        calls = log.map { $0.rows / sampler.chain.rowsPerQuery }
        nfe = Double(calls.count) / Double(count)
        evaluations = Double(calls.reduce(0, +) * sampler.chain.rowsPerQuery) / Double(count)
        acceptance = decided > 0 ? Double(accepted) / Double(decided) : 0
        predictedAcceptance = decided > 0 ? predicted / Double(decided) : 0
        self.count = count
        (rowsPerQuery, dimension) = (sampler.chain.rowsPerQuery, sampler.chain.dimension)
    }

    /// Predicted wall-clock of one sample where each call's rows are shared out among workers.
    func seconds(workers: Int, times: CallTimes) -> Double {
        let target = calls.reduce(0) { $0 + times.seconds(rows: 1 + ($1 - 1) / workers) }
        return (target + overhead) / Double(count)
    }

    /// The same for processes that get their rows over a network, and send back what they computed.
    /// - Parameter longest: the largest window.
    func seconds(ranks: Int, over network: Interconnect, longest: Int, times: CallTimes) -> Double {
        let messages = calls.reduce(0) {
            $0
                + network.call(
                    rows: $1 * rowsPerQuery, capacity: (longest + 1) * rowsPerQuery, dimension: dimension, ranks: ranks)
        }
        return seconds(workers: ranks, times: times) + messages / Double(count)
    }
}
