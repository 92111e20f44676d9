import Couplings

/// Plain sampling, one call a step: what speculation is measured against.
public struct SequentialSampler<Chain: GaussianChain>: Sampler {
    public let chain: Chain
    public let random: RandomSource
    /// Plain sampling is what exactness is measured against.
    public var isExact: Bool { true }

    public init(chain: Chain, random: RandomSource) {
        self.chain = chain
        self.random = random
    }

    public func step(_ samples: inout [SampleState]) throws -> StepInfo {
        var info = StepInfo()
        let queries = samples.map { [ChainQuery(sample: $0.sample, step: $0.step, state: $0.state)] }
        let predictions = try call(queries, &samples, &info)
        for i in samples.indices {
            let (n, state) = (samples[i].step, samples[i].state)
            let mean = chain.mean(step: n, state: state, prediction: predictions[i][0])  // m_n(Y_n)
            let noise = random.increment(sample: samples[i].sample, step: n, dimension: chain.drawnDimension)  // Z_n
            let drawn = Vector.combine(1, mean, chain.transition(at: n).standardDeviation, noise)
            samples[i].state = chain.layout.state(after: state, drawn: drawn)
            samples[i].step = n + 1
            // For whoever watches; nothing here depends on it.
            samples[i].memory.record(
                step: n, state: state, prediction: predictions[i][0], layout: chain.layout)
            samples[i].memory.forget(before: n)
            info.visits.append(.init(samples[i]))
        }
        return info
    }
}
