import Processes
import Foundation
import Synchronization

/// Processes played by threads, which meet at a table.
final class ThreadGroup: ProcessGroup {
    /// What the members share.
    final class Table: Sendable {
        let size: Int
        private let state: Mutex<(parts: [[Double]?], round: Int, messages: [[Double]])>
        init(size: Int) {
            self.size = size
            state = Mutex(([[Double]?](repeating: nil, count: size), 0, []))
        }

        /// Puts a part down and waits until all have.
        func exchange(_ part: [Double], rank: Int) -> [[Double]] {
            let round = state.withLock { state in
                state.parts[rank] = part
                return state.round
            }
            while true {
                let all: [[Double]]? = state.withLock { state in
                    if rank == 0, state.round == round, state.parts.allSatisfy({ $0 != nil }) {
                        state.round += 1
                    }
                    return state.round > round ? state.parts.map { $0 ?? [] } : nil
                }
                if let all { return leave(all, rank: rank, round: round) }
                usleep(50)
            }
        }

        /// Nobody puts down the next part before all have read this one.
        private func leave(_ all: [[Double]], rank: Int, round: Int) -> [[Double]] {
            readers.withLock { $0[round, default: 0] += 1 }
            while readers.withLock({ $0[round, default: 0] < size }) { usleep(50) }
            if rank == 0 { state.withLock { $0.parts = [[Double]?](repeating: nil, count: size) } }
            cleared.withLock { if rank == 0 { $0 = round + 1 } }
            while cleared.withLock({ $0 <= round }) { usleep(50) }
            return all
        }

        private let readers = Mutex<[Int: Int]>([:])
        private let cleared = Mutex(0)
        func post(_ message: [Double]) { state.withLock { $0.messages.append(message) } }
        func take() -> [Double]? { state.withLock { $0.messages.isEmpty ? nil : $0.messages.removeFirst() } }
    }

    let rank: Int
    private let table: Table

    init(rank: Int, table: Table) {
        self.rank = rank
        self.table = table
    }

    var size: Int { table.size }

    func broadcast(_ numbers: inout [Double]) {
        let count = numbers.count
        let all = table.exchange(rank == 0 ? numbers : [Double(count)], rank: rank)
        precondition(all[0].count == count, "all processes must agree on the size")
        numbers = all[0]
    }

    func gather(_ part: [Double], counts: [Int]) -> [Double] {
        precondition(counts[rank] == part.count, "the part must be of the size that all know")
        let all = table.exchange(part, rank: rank)
        return rank == 0 ? all.flatMap { $0 } : []
    }

    func send(_ numbers: [Double]) { table.post(numbers) }
    func receive() -> [Double]? { table.take() }
    func end() {}
    func abort(status: Int32) -> Never { exit(status) }

    /// Runs the body once for each rank, each on a thread of its own, and returns what rank 0's did.
    static func run<Result: Sendable>(size: Int, _ body: @escaping @Sendable (ThreadGroup) throws -> Result) throws
        -> Result
    {
        let table = Table(size: size)
        let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
        let threads = (0..<size).map { rank in
            Thread {
                let outcome = Swift.Result { try body(ThreadGroup(rank: rank, table: table)) }
                results.withLock { $0[rank] = outcome }
            }
        }
        for thread in threads { thread.start() }
        while results.withLock({ $0.count }) < size { usleep(200) }
        let all = results.withLock { $0 }
        for rank in 1..<size { if case .failure(let error)? = all[rank] { throw error } }
        return try all[0]!.get()
    }
}
