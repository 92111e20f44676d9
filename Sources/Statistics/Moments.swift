extension Collection<Double> {
    /// 0 of nothing.
    public var mean: Double { reduce(0, +) / Double(Swift.max(1, count)) }

    /// The unbiased estimate; nil below two values.
    public var variance: Double? {
        guard count > 1 else { return nil }
        let center = mean
        return reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(count - 1)
    }

    /// Of the mean of independent values; nil below two, which say nothing of their spread.
    public var standardError: Double? { variance.map { ($0 / Double(count)).squareRoot() } }
}
