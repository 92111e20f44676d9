/// What one Langevin chain looked like.
public struct EnergyObservation: Sendable {
    /// `E` of its last states, in order.
    public let tail: [Double]
    /// `E` of every `traceStride`-th state, from the first on.
    public let trace: [Double]
    public let cost: SamplingCost
    public let finalState: [Double]
}

extension Sampler where Chain: LangevinDynamics {
    /// Runs chains to their end on several cores and watches their energy, where they are to be observed. Neither `lanes` nor
    /// `threads` changes a result.
    /// - Parameters:
    ///   - energy: what is observed.
    ///   - chains: their numbers.
    ///   - tail: how many of each chain's last states the energy is taken of.
    ///   - traceStride: steps between the points of a trace, ≥ 1.
    ///   - lanes: chains that share their calls, ≥ 1.
    ///   - threads: cores to use, at least 1; changes no result.
    ///   - onSteps: called from any thread with how many steps were decided since the last call.
    public func observe(
        _ energy: Energy, chains: Range<Int>, tail: Int, traceStride: Int, lanes: Int, threads: Int,
        onSteps: @Sendable (Int) throws -> Void = { _ in }
    ) throws -> [EnergyObservation] {
        precondition(traceStride > 0 && tail >= 0, "sizes are positive")
        let firstOfTail = chain.stepCount - tail
        return try Self.blocks(chains, of: lanes).concurrentMap(threads: threads) { block in
            var tails = [[Double]](repeating: [], count: block.count)
            var traces = tails
            for (i, sample) in block.enumerated() {
                traces[i] = try energy.values([chain.observedPosition(of: start(sample: sample).state)])
            }
            var finished = [EnergyObservation?](repeating: nil, count: block.count)
            try run(samples: block, lanes: block.count) { info, _ in
                for visit in info.visits {
                    let isTail = visit.step > firstOfTail
                    let isTraced = visit.step.isMultiple(of: traceStride)
                    guard isTail || isTraced else { continue }
                    let value = try energy.values([chain.observedPosition(of: visit.state)])[0]
                    if isTail { tails[visit.sample - block.lowerBound].append(value) }
                    if isTraced { traces[visit.sample - block.lowerBound].append(value) }
                }
                try onSteps(info.visits.count)
            } onFinished: { state in
                let i = state.sample - block.lowerBound
                finished[i] = EnergyObservation(
                    tail: tails[i], trace: traces[i], cost: state.cost, finalState: state.state)
            }
            return finished.compactMap { $0 }
        }.flatMap { $0 }
    }
}
