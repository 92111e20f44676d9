import Statistics

/// How many independent samples of the energy the last states of Langevin chains are worth, and what one costs.
struct EffectiveSamples: Encodable, Sendable {
    /// Of all chains together: their tails' states over the autocorrelation time.
    let samples: Double
    /// `τ`, in steps.
    let autocorrelation_time: Double
    /// Samples for each call of a chain in its tail, whose share of a chain's calls is taken to be that of its steps.
    let per_call: Double
    /// Of `per_call`, from the spread over the chains. Unknown for a single chain.
    @Nullable var standard_error: Double?

    /// nil where the tails are too short to tell.
    /// - Parameters:
    ///   - tails: energies of each chain's last states, as many of each.
    ///   - calls: each chain's, over all of its steps.
    ///   - steps: of a chain.
    init?(tails: [[Double]], calls: [Int], steps: Int) {
        let meanCalls = calls.map(Double.init).mean
        guard let time = AutocorrelationTime(chains: tails), meanCalls > 0 else { return nil }
        samples = Double(tails.reduce(0) { $0 + $1.count }) / time.value
        autocorrelation_time = time.value
        let perCall = Double(steps) / (time.value * meanCalls)
        per_call = perCall
        // The relative errors of both factors, chain by chain: they need not be independent.
        let deviations = zip(time.relativeDeviations, calls).map { -$0 - (Double($1) / meanCalls - 1) }
        _standard_error = Nullable(wrappedValue: deviations.standardError.map { perCall * $0 })
    }
}
