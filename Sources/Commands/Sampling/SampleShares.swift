import ArgumentParser
import Diffusion
import Processes
import Foundation

/// What several processes share out.
enum ParallelMode: String, CaseIterable, ExpressibleByArgument {
    case samples, window
}

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
        var count = [Double(samples.count)]
        group.broadcast(&count)
        var list = samples.map(Double.init)
        group.broadcast(&list)
        let own = share(of: samples, in: group)
        return (own, SampleShares(expectedCount: samples.count - own.count, group: group))
    }

    /// At every other process: makes its share.
    static func work(in group: any ProcessGroup, sampler: any Sampler, lanes: Int) throws {
        var count = [0.0]
        group.broadcast(&count)
        var list = [Double](repeating: 0, count: Int(count[0]))
        group.broadcast(&list)
        var calls = 0
        try sampler.finish(samples: share(of: list.map { Int($0) }, in: group), lanes: lanes) { info, _ in
            try Interruption.check()
            calls += info.calls
        } onFinished: {
            group.send($0.numbers)
        }
        group.send([Double(calls)])
    }

    private static func share(of samples: [Int], in group: any ProcessGroup) -> [Int] {
        Array(samples[DistributedDenoiser.share(rank: group.rank, of: group.size, rows: samples.count)])
    }

    func arrived() throws -> [FinishedSample] {
        var samples: [FinishedSample] = []
        while let message = group.receive() {
            if message.count == 1 {  // a process is through with its share
                calls += Int(message[0])
                working -= 1
            } else {
                samples.append(FinishedSample(numbers: message))
            }
        }
        return samples
    }
}

extension FinishedSample {
    private static let headCount = 8

    /// As a message.
    fileprivate var numbers: [Double] {
        var numbers = [
            sample, cost.calls, cost.evaluations, cost.accepted, cost.rejected, cost.plainSteps, cost.extraDraws,
            decisions.count,
        ].map(Double.init)
        for decision in decisions {
            numbers += [Double(decision.step), decision.isAccepted ? 1 : 0, decision.acceptance]
        }
        return numbers + state
    }

    fileprivate init(numbers: [Double]) {
        let head = numbers.prefix(Self.headCount).map { Int($0) }
        let stateStart = Self.headCount + 3 * head[7]
        self.init(
            sample: head[0],
            cost: .init(
                calls: head[1], evaluations: head[2], accepted: head[3], rejected: head[4], plainSteps: head[5],
                extraDraws: head[6]),
            decisions: (0..<head[7]).map {
                let start = Self.headCount + 3 * $0
                return Decision(
                    step: Int(numbers[start]), isAccepted: numbers[start + 1] == 1, acceptance: numbers[start + 2])
            },
            state: Array(numbers[stateStart...]))
    }
}
