import Couplings

/// A way of running a chain: `start` makes a sample's state, `step` takes many of them further by one round, all
/// their network rows together. Samplers are values without state of their own; the noise is keyed (rule R2).
public protocol Sampler<Chain>: Sendable {
    associatedtype Chain: GaussianChain
    var chain: Chain { get }
    var random: RandomSource { get }
    /// Whether its samples have the law of plain sampling.
    var isExact: Bool { get }

    /// One round of every sample. All of them must be unfinished.
    func step(_ samples: inout [SampleState]) throws -> StepInfo
}

extension Sampler {
    /// A sample at its first state `Y_0`.
    public func start(sample: Int) -> SampleState {
        var stream = random.stream(sample: sample, step: 0, purpose: .initialState)
        let noise = stream.normals(chain.dimension)
        return SampleState(sample: sample, state: chain.initialState(sample: sample, noise: noise))
    }

    /// One target call: the queries of many samples in one batch. The rows are booked on the samples they belong to.
    /// - Parameter queries: for each sample, in order, the queries it takes part with; empty for none.
    func call(
        _ queries: [[ChainQuery]], _ samples: inout [SampleState], _ info: inout StepInfo
    ) throws -> [[[Double]]] {
        let batch = queries.flatMap { $0 }
        guard !batch.isEmpty else { return queries.map { _ in [] } }
        let predictions = try chain.predictions(for: batch)
        info.calls += 1
        info.rows += batch.count * chain.rowsPerQuery
        var rest = predictions[...]
        return samples.indices.map { i in
            if !queries[i].isEmpty { samples[i].cost.calls += 1 }
            samples[i].cost.evaluations += queries[i].count * chain.rowsPerQuery
            defer { rest = rest.dropFirst(queries[i].count) }
            return Array(rest.prefix(queries[i].count))
        }
    }

    /// Runs many samples to their end with at most `lanes` of them at a time, see `SamplesUnderWay`.
    /// - Parameters:
    ///   - samples: their indices, in the order in which they begin.
    ///   - lanes: how many are under way at a time, at least 1.
    ///   - onRound: called after every round with what it did and the samples under way.
    ///   - onFinished: called once per sample, in the order in which they finish.
    public func run(
        samples: some Collection<Int>, lanes: Int, onRound: (StepInfo, [SampleState]) throws -> Void = { _, _ in },
        onFinished: (SampleState) throws -> Void
    ) throws {
        var samples = SamplesUnderWay(samples, lanes: lanes)
        while let info = try samples.round(by: self) {
            try onRound(info, samples.active)
            for sample in samples.takeFinished(stepCount: chain.stepCount) { try onFinished(sample) }
        }
    }
}
