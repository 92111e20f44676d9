/// The same window always: the paper's `L`.
public struct FixedWindow: WindowPolicy {
    /// `L ≥ 1`
    public let length: Int

    /// - Throws: `DiffusionError` for a window below 1.
    public init(_ length: Int) throws(DiffusionError) {
        guard length >= 1 else { throw DiffusionError("window", expected: "a number ≥ 1", found: "\(length)") }
        self.length = length
    }

    public func length(after decided: DecidedSteps) -> Int { length }
}
