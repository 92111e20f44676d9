import Statistics

/// Mean and deviation of the energies of independent chains.
struct EnergySummary: Encodable, Sendable {
    let mean: Double
    /// Over all states.
    let sd: Double
    /// Of the mean, from the spread of the chains' own means: states of one chain are correlated, chains are not. Unknown
    /// for a single chain.
    @Nullable var standard_error: Double?

    /// - Parameter perChain: as many values for each chain.
    init(perChain: [[Double]]) {
        let all = perChain.flatMap { $0 }
        mean = all.mean
        sd = (all.variance ?? 0).squareRoot()
        _standard_error = Nullable(wrappedValue: perChain.map(\.mean).standardError)
    }
}
