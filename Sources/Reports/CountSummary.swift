/// A count over samples.
public struct CountSummary: Encodable, Sendable {
    public let mean: Double
    public let min: Int
    public let max: Int

    public init(_ values: [Int]) {
        mean = values.isEmpty ? 0 : Double(values.reduce(0, +)) / Double(values.count)
        min = values.min() ?? 0
        max = values.max() ?? 0
    }
}
