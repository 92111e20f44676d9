extension Collection<Double> {
    /// 0 of nothing.
    var mean: Double { reduce(0, +) / Double(Swift.max(1, count)) }

    /// The unbiased estimate; nil below two values.
    var variance: Double? {
        guard count > 1 else { return nil }
        let center = mean
        return reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(count - 1)
    }

    /// Of the mean of independent values; nil below two, which say nothing of their spread.
    var standardError: Double? { variance.map { ($0 / Double(count)).squareRoot() } }
}

extension Double? {
    /// For tables.
    func formatted(digits: Int) -> String { map { $0.formatted(digits: digits) } ?? "unknown" }
}

/// A number that is there in JSON even if it is unknown, as null.
@propertyWrapper struct Nullable<Value: Encodable & Sendable>: Encodable, Sendable {
    let wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}
