/// Mean and deviation of the energies of independent chains.
struct EnergySummary: Encodable {
    let mean: Double
    /// Over all states.
    let sd: Double
    /// Of the mean, from the spread of the chains' own means: states of one chain are correlated, chains are not.
    let standard_error: Double

    /// - Parameter perChain: as many values for each chain.
    init(perChain: [[Double]]) {
        let all = perChain.flatMap { $0 }
        mean = Self.mean(all)
        sd = Self.variance(all).squareRoot()
        standard_error = (Self.variance(perChain.map(Self.mean)) / Double(max(1, perChain.count))).squareRoot()
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
    private static func variance(_ values: [Double]) -> Double {
        let center = mean(values)
        return values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(max(1, values.count - 1))
    }
}
