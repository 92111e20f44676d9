import Dispatch
import Synchronization

extension Sampler {
    /// Runs many samples to their end on several cores, for targets that cost little a row: blocks of `lanes` samples,
    /// each by one thread from start to finish. The noise is keyed by the sample, so that neither `lanes` nor `threads`
    /// changes a result.
    /// - Parameters:
    ///   - samples: their indices.
    ///   - lanes: samples that share their calls, ≥ 1.
    ///   - threads: ≥ 1.
    ///   - onRound: called on the block's thread after every round.
    /// - Returns: the finished samples, in order.
    /// - Throws: what the chain throws; of several errors, one.
    public func runConcurrently(
        samples: Range<Int>, lanes: Int, threads: Int,
        onRound: @Sendable (StepInfo) throws -> Void = { _ in }
    ) throws -> [SampleState] {
        try Self.blocks(samples, of: lanes).concurrentMap(threads: threads) { block in
            var finished: [SampleState] = []
            finished.reserveCapacity(block.count)
            try run(samples: block, lanes: lanes, onRound: { info, _ in try onRound(info) }) { finished.append($0) }
            return finished.sorted { $0.sample < $1.sample }
        }.flatMap { $0 }
    }

    /// Ranges of `size`, the last one of the rest.
    static func blocks(_ samples: Range<Int>, of size: Int) -> [Range<Int>] {
        precondition(size > 0, "at least one lane")
        return stride(from: samples.lowerBound, to: samples.upperBound, by: size).map {
            $0..<min($0 + size, samples.upperBound)
        }
    }
}

extension Array where Element: Sendable {
    /// `map` on several cores. The elements are handed out in order, and the results come back in it.
    /// - Throws: an error of `transform`; no further element is begun after it.
    package func concurrentMap<Result: Sendable>(
        threads: Int, _ transform: @Sendable (Element) throws -> Result
    ) throws -> [Result] {
        let next = Atomic<Int>(0)
        let outcome = Mutex<(results: [Result?], error: (any Error)?)>(([Result?](repeating: nil, count: count), nil))
        DispatchQueue.concurrentPerform(iterations: Swift.max(1, Swift.min(threads, count))) { _ in
            while outcome.withLock({ $0.error == nil }) {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                do {
                    let result = try transform(self[index])
                    outcome.withLock { $0.results[index] = result }
                } catch {
                    outcome.withLock { $0.error = error }
                }
            }
        }
        return try outcome.withLock { outcome in
            if let error = outcome.error { throw error }
            return outcome.results.compactMap { $0 }
        }
    }
}
