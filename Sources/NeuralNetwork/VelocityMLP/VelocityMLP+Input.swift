extension VelocityMLP {
    /// What a call's rows depend on beside the states.
    public struct Conditioning: Sendable {
        /// `[rows]`, the network's own time input.
        public var timesteps: [Float]
        /// `[rows]`, each from 0 ..< `num_class_embeds`.
        public var classLabels: [Int]

        public init(timesteps: [Float], classLabels: [Int]) {
            self.timesteps = timesteps
            self.classLabels = classLabels
        }
    }

    /// The network's output for a batch of rows.
    ///
    /// - Parameters:
    ///   - sample: `[batch, dimension]`.
    ///   - batch: number of rows, any from 0.
    ///   - timesteps: `[batch]`, the network's own time input.
    ///   - classLabels: `[batch]`, each from 0 ..< `num_class_embeds`.
    ///   - threads: threads to use, the caller's among them.
    /// - Returns: `[batch, dimension]`.
    /// - Throws: ``NetworkInputError`` if an argument has the wrong size or a label is out of range.
    public func callAsFunction(
        sample: [Float], batch: Int, timesteps: [Float], classLabels: [Int], threads: Int
    ) throws(NetworkInputError) -> [Float] {
        let conditioning = Conditioning(timesteps: timesteps, classLabels: classLabels)
        return try self(Input(sample, rows: batch, shape: (), conditioning: conditioning), threads: threads)
    }

    public func inputDimensions(_ shape: Void) -> [Int] { [configuration.dimension] }
    public func outputDimensions(_ shape: Void) -> [Int] { [configuration.dimension] }
    public func rowsPerPass(_ shape: Void) -> Int { 256 }

    public func check(_ conditioning: Conditioning, rows: Int) throws(NetworkInputError) {
        try NetworkInputError.check(conditioning.timesteps.count, "timesteps", rows: rows)
        try NetworkInputError.check(
            labels: conditioning.classLabels, count: configuration.labelCount, rows: rows)
    }
}
