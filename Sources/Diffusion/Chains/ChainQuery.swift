/// A state at which the target is asked for its prediction.
public struct ChainQuery: Sendable {
    /// Index of the sample, which says what it is conditioned on.
    public let sample: Int
    /// `k`
    public let step: Int
    /// `y`
    public let state: [Double]

    public init(sample: Int, step: Int, state: [Double]) {
        self.sample = sample
        self.step = step
        self.state = state
    }
}
