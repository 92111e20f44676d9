import Couplings
import Diffusion
import Models

/// The chain of a network that another program runs. What that network predicts enters the means through `x̂0`, which is
/// linear in it, or as it is.
struct ForeignChain: GaussianChain {
    struct Step: Sendable {
        /// What the network is told of the time.
        let time: Double
        let transition: GaussianTransition
        /// `(c_x, c_o)`: the prediction that the step's mean is affine in is `c_x y + c_o output`.
        let reading: (state: Double, output: Double)
        /// The network is given so many times the state.
        var inputScale = 1.0
    }

    let network: ForeignNetwork
    let dimension: Int
    let steps: [Step]
    let predictionBounds: ClosedRange<Double>?
    /// `δ` of class-free guidance, as `DenoisingChain.guidance`.
    let guidance: Double
    /// Standard deviation of `Y_0`.
    let initialScale: Double
    /// `Y_0` of samples from `firstSample` on, in place of noise; nil for noise.
    var initialStates: (firstSample: Int, values: [Float])?

    var stepCount: Int { steps.count }
    var rowsPerQuery: Int { guidance == 0 ? 1 : 2 }
    func transition(at step: Int) -> GaussianTransition { steps[step].transition }

    func initialState(sample: Int, noise: [Double]) -> [Double] {
        if let (firstSample, values) = initialStates {
            let start = (sample - firstSample) * dimension
            return values[start..<start + dimension].map { Double($0) }
        }
        return initialScale == 1 ? noise : noise.map { initialScale * $0 }
    }

    /// The same chain over another network.
    func replacing(network: ForeignNetwork) -> ForeignChain {
        ForeignChain(
            network: network, dimension: dimension, steps: steps, predictionBounds: predictionBounds,
            guidance: guidance, initialScale: initialScale, initialStates: initialStates)
    }

    func predictions(for queries: [ChainQuery]) throws -> [[Double]] {
        let rows = queries.count * rowsPerQuery
        let states = [Float](unsafeUninitializedCapacity: rows * dimension) { buffer, count in
            for row in 0..<rows {
                let query = queries[row % queries.count]
                let scale = steps[query.step].inputScale
                query.state.withUnsafeBufferPointer { state in
                    for i in 0..<dimension {
                        buffer.initializeElement(at: row * dimension + i, to: Float(scale * state[i]))
                    }
                }
            }
            count = rows * dimension
        }
        let samples = queries.map { Int64($0.sample) } + (guidance == 0 ? [] : queries.map { -1 - Int64($0.sample) })
        let repeated = guidance == 0 ? queries : queries + queries
        let outputs = try network.answers(
            states: states, times: repeated.map { steps[$0.step].time }, samples: samples,
            steps: repeated.map { Int32($0.step) }, dimension: dimension)
        let predictions = queries.enumerated().map { row, query in
            let conditional = read(query, outputs, row: row)
            guard guidance != 0 else { return conditional }
            return Vector.combine(
                1 + guidance, conditional, -guidance, read(query, outputs, row: queries.count + row))
        }
        for (prediction, query) in zip(predictions, queries) where !Vector.squaredNorm(prediction).isFinite {
            throw DiffusionError(
                "the network's answer for sample \(query.sample) at step \(query.step)",
                expected: "\(dimension) finite numbers", found: "an infinity, NaN or a value that was not written",
                remedy: "check the network; if it is sound, lower churn or guidance, or take more steps")
        }
        return predictions
    }

    private func read(_ query: ChainQuery, _ outputs: [Float], row: Int) -> [Double] {
        let (ofState, ofOutput) = steps[query.step].reading
        return [Double](unsafeUninitializedCapacity: dimension) { buffer, count in
            query.state.withUnsafeBufferPointer { state in
                outputs[(row * dimension)...].withUnsafeBufferPointer { outputs in
                    for i in 0..<dimension {
                        buffer.initializeElement(at: i, to: ofState * state[i] + ofOutput * Double(outputs[i]))
                    }
                }
            }
            count = dimension
        }
    }
}

/// Of a foreign network: perhaps a cheaper one.
struct ForeignCompanions: DraftCompanions {
    let cheaper: ForeignChain?

    func cheaperChain() throws -> ForeignChain? { cheaper }
}
