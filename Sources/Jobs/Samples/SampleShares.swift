import Diffusion
import Processes
import Reports

/// The samples of a job, shared out among processes: process 0 hands out the numbers of the samples and writes what comes
/// of them; each process makes its own.
final class SampleShares: SampleSource {
    let expectedCount: Int
    private let group: any ProcessGroup
    private var working: Int
    private(set) var calls = 0

    private init(expectedCount: Int, group: any ProcessGroup) {
        self.expectedCount = expectedCount
        self.group = group
        working = group.size - 1
    }

    var isComplete: Bool { working == 0 }

    /// At process 0: tells all which samples to make.
    /// - Returns: those that process 0 makes itself, and what brings the others.
    static func handOut(_ samples: [Int], in group: any ProcessGroup) -> (own: [Int], others: any SampleSource) {
        group.broadcast(samples)
        let own = share(of: samples, in: group)
        return (own, SampleShares(expectedCount: samples.count - own.count, group: group))
    }

    /// At every other process: makes its share.
    static func work(in group: any ProcessGroup, sampler: any Sampler, lanes: Int, monitor: any RunMonitor) throws {
        var calls = 0
        try sampler.finish(samples: share(of: group.broadcast([]), in: group), lanes: lanes) { info, _ in
            try monitor.check()
            calls += info.calls
        } onFinished: {
            group.send(SampleMessage.sample($0).numbers)
        }
        group.send(SampleMessage.finished(calls: calls).numbers)
    }

    private static func share(of samples: [Int], in group: any ProcessGroup) -> [Int] {
        Array(samples[DistributedDenoiser.share(rank: group.rank, of: group.size, rows: samples.count)])
    }

    func arrived() throws -> [FinishedSample] {
        var samples: [FinishedSample] = []
        while let numbers = group.receive() {
            switch try SampleMessage(numbers: numbers) {
            case .sample(let sample): samples.append(sample)
            case .finished(let calls):
                self.calls += calls
                working -= 1
            }
        }
        return samples
    }
}

extension ProcessGroup {
    /// Gives all processes a list of process 0. Every process calls it.
    /// - Parameter list: at process 0; elsewhere it is left aside.
    @discardableResult
    fileprivate func broadcast(_ list: [Int]) -> [Int] {
        var count = [Double(list.count)]
        broadcast(&count)
        var numbers = rank == 0 ? list.map(Double.init) : [Double](repeating: 0, count: Int(count[0]))
        broadcast(&numbers)
        return numbers.map { Int($0) }
    }
}
