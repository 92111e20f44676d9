import Dispatch
import Synchronization

/// The processor time of some threads together.
final class Stopwatch: Sendable {
    private let total = Mutex(0.0)

    var seconds: Double { total.withLock { $0 } }

    func measure<Result>(_ work: () throws -> Result) rethrows -> Result {
        let start = processorSeconds()
        defer {
            let spent = processorSeconds() - start
            total.withLock { $0 += spent }
        }
        return try work()
    }
}

/// Samples in blocks of `lanes`, on two threads.
/// - Parameter work: gives something for each sample of a block, in order.
/// - Returns: the same for all samples, in order.
func inParallel<Result: Sendable>(
    _ samples: Int, lanes: Int, _ stopwatch: Stopwatch, work: @Sendable (Range<Int>) throws -> [Result]
) throws -> [Result] {
    let blocks = stride(from: 0, to: samples, by: lanes).map { $0..<min($0 + lanes, samples) }
    let next = Atomic(0)
    let outcome = Mutex<(results: [Int: [Result]], error: (any Error)?)>(([:], nil))
    DispatchQueue.concurrentPerform(iterations: 2) { _ in
        while outcome.withLock({ $0.error == nil }) {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < blocks.count else { return }
            do {
                let results = try stopwatch.measure { try work(blocks[index]) }
                outcome.withLock { $0.results[index] = results }
            } catch {
                outcome.withLock { $0.error = error }
            }
        }
    }
    return try outcome.withLock { outcome in
        if let error = outcome.error { throw error }
        return blocks.indices.flatMap { outcome.results[$0] ?? [] }
    }
}
