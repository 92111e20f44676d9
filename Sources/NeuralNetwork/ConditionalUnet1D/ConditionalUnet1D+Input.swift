extension ConditionalUnet1D {
    /// What a caller may choose about the sequences of a call.
    public struct Shape: Sendable, Equatable {
        /// Divisible by 2^halvings: they are halved so often, and must double back.
        public var positions: Int
        public init(positions: Int) { self.positions = positions }
    }

    /// What a call's rows depend on beside the sequences.
    public struct Conditioning: Sendable {
        /// `[rows]`, the diffusion steps as the network was trained with them.
        public var timesteps: [Float]
        /// `[rows, conditionDimension]`
        public var condition: [Float]

        public init(timesteps: [Float], condition: [Float] = []) {
            self.timesteps = timesteps
            self.condition = condition
        }
    }

    /// The network's output for a batch of rows.
    ///
    /// - Parameters:
    ///   - sample: `[batch, positions, inputDimension]`.
    ///   - batch: number of rows, any from 0.
    ///   - positions: divisible by 2^halvings: it is halved so often, and must double back.
    ///   - timesteps: `[batch]`, the diffusion steps as the network was trained with them.
    ///   - condition: `[batch, conditionDimension]`.
    ///   - threads: threads to use, the caller's among them.
    /// - Returns: `[batch, positions, inputDimension]`.
    /// - Throws: ``NetworkInputError`` if an argument has the wrong size.
    public func callAsFunction(
        sample: [Float], batch: Int, positions: Int, timesteps: [Float], condition: [Float] = [], threads: Int
    ) throws(NetworkInputError) -> [Float] {
        let input = Input(
            sample, rows: batch, shape: Shape(positions: positions),
            conditioning: Conditioning(timesteps: timesteps, condition: condition))
        return try self(input, threads: threads)
    }

    public func inputDimensions(_ shape: Shape) -> [Int] { [shape.positions, configuration.inputDimension] }
    public func outputDimensions(_ shape: Shape) -> [Int] { inputDimensions(shape) }
    /// Many, to share the weights that are read for them.
    public func rowsPerPass(_ shape: Shape) -> Int { 64 }

    public func check(_ shape: Shape) throws(NetworkInputError) {
        let unit = 1 << configuration.halvings
        guard (1...65_536).contains(shape.positions), shape.positions % unit == 0 else {
            throw NetworkInputError(
                "sequences of \(shape.positions) positions: this network halves them \(configuration.halvings) times, so their number must be a multiple of \(unit) (at most 65536)"
            )
        }
    }

    public func check(_ conditioning: Conditioning, rows: Int) throws(NetworkInputError) {
        try NetworkInputError.check(conditioning.timesteps.count, "timesteps", rows: rows)
        try NetworkInputError.check(
            conditioning.condition.count, "the condition has", rows: rows,
            dimensions: [configuration.conditionDimension])
    }
}
