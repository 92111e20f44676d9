import Diffusion
import Synchronization

/// A denoiser whose calls are shared out: process 0 samples, and the rows of each call are computed by all processes,
/// with one broadcast and one gather a call. The rows come back as they would from `base`, bit for bit, for rows don't
/// influence each other (rule R5); so a sampler over it makes the same samples, whatever the number of processes.
///
/// Process 0 uses it as any denoiser, and calls `release` in the end; all others call `serve`.
public final class DistributedDenoiser: Denoiser {
    public let base: any Denoiser
    public let group: any ProcessGroup
    /// Rows of one broadcast; larger calls are made in several.
    public let capacity: Int

    /// What the calls took, at process 0.
    public struct Times: Sendable {
        public internal(set) var calls = 0
        /// All in all.
        public internal(set) var seconds = 0.0
        /// Of these, the computing of whichever process took longest: the rest is communication.
        public internal(set) var computing = 0.0
    }

    private let log = Mutex(Times())

    /// All processes make one together, and wait for the last: so `times` count nobody's reading of a model.
    /// - Parameters:
    ///   - base: the same on all processes.
    ///   - group: the processes that share its calls.
    ///   - capacity: the rows of the largest call expected, 1 or more. A broadcast is always of this size, so that
    ///     nobody need be told beforehand how large it will be.
    public init(_ base: any Denoiser, group: any ProcessGroup, capacity: Int) {
        precondition(capacity >= 1, "room for a row")
        self.base = base
        self.group = group
        self.capacity = capacity
        _ = group.gather([0], counts: [Int](repeating: 1, count: group.size))
    }

    public var dimension: Int { base.dimension }
    public var times: Times { log.withLock { $0 } }

    /// Rows of a call that a process computes: shares differ by one row at most.
    public static func share(rank: Int, of size: Int, rows: Int) -> Range<Int> {
        rank * rows / size..<(rank + 1) * rows / size
    }

    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        var results: [[Double]] = []
        results.reserveCapacity(queries.count)
        var rest = queries[...]
        while !rest.isEmpty {
            let start = ContinuousClock.now
            let part = Array(rest.prefix(capacity))
            rest = rest.dropFirst(capacity)
            var message = CallMessage.rows(part).numbers(capacity: capacity, dimension: dimension)
            group.broadcast(&message)
            let (states, computing) = try computeShare(of: part)
            results += split(
                group.gather(states + [computing], counts: counts(rows: part.count)), rows: part.count, start)
        }
        return results
    }

    /// Computes shares of process 0's calls until it releases this one.
    /// - Throws: what `base` throws. The caller must then end the group, for process 0 waits.
    public func serve() throws {
        while true {
            let size = CallMessage.size(capacity: capacity, dimension: dimension)
            var message = [Double](repeating: 0, count: size)
            group.broadcast(&message)
            guard case .rows(let queries) = CallMessage(numbers: message, dimension: dimension) else { return }
            let (states, computing) = try computeShare(of: queries)
            _ = group.gather(states + [computing], counts: counts(rows: queries.count))
        }
    }

    /// Lets the other processes return from `serve`.
    public func release() {
        var message = CallMessage.release.numbers(capacity: capacity, dimension: dimension)
        group.broadcast(&message)
    }

    private func computeShare(of queries: [DenoiserQuery]) throws -> (states: [Double], seconds: Double) {
        let share = Self.share(rank: group.rank, of: group.size, rows: queries.count)
        guard !share.isEmpty else { return ([], 0) }
        let start = ContinuousClock.now
        let states = try base.denoised(Array(queries[share])).flatMap { $0 }
        return (states, (ContinuousClock.now - start).seconds)
    }

    /// Numbers that each process gathers: its rows, and how long they took.
    private func counts(rows: Int) -> [Int] {
        (0..<group.size).map { Self.share(rank: $0, of: group.size, rows: rows).count * dimension + 1 }
    }

    private func split(_ gathered: [Double], rows: Int, _ start: ContinuousClock.Instant) -> [[Double]] {
        var results: [[Double]] = []
        var (position, slowest) = (0, 0.0)
        for rank in 0..<group.size {
            for _ in Self.share(rank: rank, of: group.size, rows: rows) {
                results.append(Array(gathered[position..<position + dimension]))
                position += dimension
            }
            slowest = max(slowest, gathered[position])
            position += 1
        }
        log.withLock {
            $0.calls += 1
            $0.seconds += (ContinuousClock.now - start).seconds
            $0.computing += slowest
        }
        return results
    }
}
