/// A denoiser from a closure that predicts noise, sample or velocity: a network of one's own, whatever runs it.
///
///     let denoiser = PredictingDenoiser(dimension: 2, predicts: .noise, schedule: CosineSchedule()) { queries in
///         myNetwork(queries.map(\.state), times: queries.map(\.time))
///     }
public struct PredictingDenoiser: Denoiser {
    /// From noisy states to as many predictions of the same length. Rows must not influence each other (rule R5).
    public typealias Prediction = @Sendable ([DenoiserQuery]) throws -> [[Double]]

    public let dimension: Int
    public let kind: PredictionKind
    public let schedule: any NoiseSchedule
    private let predict: Prediction

    /// - Parameters:
    ///   - dimension: length of a state.
    ///   - kind: what the closure predicts.
    ///   - schedule: how the data and the noise are mixed in the states.
    ///   - predict: one call for all rows.
    public init(
        dimension: Int, predicts kind: PredictionKind, schedule: any NoiseSchedule, _ predict: @escaping Prediction
    ) {
        self.dimension = dimension
        self.kind = kind
        self.schedule = schedule
        self.predict = predict
    }

    /// - Throws: what the closure throws; `DiffusionError` if it returns other rows than it was asked for.
    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let outputs = try predict(queries)
        guard outputs.count == queries.count, outputs.allSatisfy({ $0.count == dimension }) else {
            throw DiffusionError(
                "prediction", expected: "\(queries.count) rows of \(dimension) values",
                found: "\(outputs.count) rows of \(Set(outputs.map(\.count)).sorted()) values",
                remedy: "return one prediction for each state, in their order")
        }
        return zip(queries, outputs).map { kind.denoised($0, output: $1, schedule: schedule) }
    }
}
