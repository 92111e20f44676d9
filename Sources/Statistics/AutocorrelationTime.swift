/// The integrated autocorrelation time of a stationary series,
///
///     τ = 1 + 2 Σ_{t ≥ 1} ρ(t),
///
/// estimated from independent chains of it: `n` values of a chain say as much of the mean as `n/τ` independent ones. The sum ends
/// at the first `M ≥ 5 τ(M)`, not before the tenth term (Sokal 1997, §3): what lies beyond is noise. All chains are centred at
/// their common mean, so that slow fluctuations of which a chain sees only a piece count too; a single one is at its own.
public struct AutocorrelationTime: Sendable {
    /// `τ`
    public let value: Double
    /// `M`
    public let window: Int
    /// What each chain makes of the estimate: by what share `τ` would differ if all were like it, to first order. Their sum is 0.
    public let relativeDeviations: [Double]

    /// Of `value`, from the spread over the chains; nil for a single one.
    public var standardError: Double? { relativeDeviations.standardError.map { value * $0 } }

    private static let windowFactor = 5.0
    /// Where values alternate, the first terms say little of the sum.
    private static let leastWindow = 10

    /// nil where the chains are too short to tell, their values are all the same, or not all finite.
    /// - Parameter chains: as many values of each; at least one chain.
    public init?(chains: [[Double]]) {
        let length = chains.map(\.count).min() ?? 0
        guard length > 1 else { return nil }
        let mean = chains.map { $0.prefix(length).mean }.mean
        let centred = chains.map { chain in chain.prefix(length).map { $0 - mean } }
        /// `Σ_j x_j x_{j+t}` of a chain, as if it had as many pairs as values: unbiased but for the mean.
        func product(_ chain: [Double], lag: Int) -> Double {
            let sum = chain.withUnsafeBufferPointer { chain in
                (0..<length - lag).reduce(0) { $0 + chain[$1] * chain[$1 + lag] }
            }
            return sum * Double(length) / Double(length - lag)
        }
        let variances = centred.map { product($0, lag: 0) }
        let variance = variances.reduce(0, +)
        guard variance > 0, variance.isFinite else { return nil }
        var sums = variances
        var lag = 0
        repeat {
            lag += 1
            // Beyond a half of its length a chain has too few pairs, all of them from its ends.
            guard lag <= length / 2 else { return nil }
            for (i, chain) in centred.enumerated() { sums[i] += 2 * product(chain, lag: lag) }
        } while lag < Self.leastWindow || Double(lag) < Self.windowFactor * sums.reduce(0, +) / variance
        let total = sums.reduce(0, +)
        guard total > 0 else { return nil }
        value = total / variance
        window = lag
        let count = Double(chains.count)
        relativeDeviations = zip(sums, variances).map { count * ($0 / total - $1 / variance) }
    }
}
