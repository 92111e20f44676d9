import Diffusion
import Reports

/// What a process tells process 0 of its share of a job's samples.
package enum SampleMessage: Sendable {
    case sample(FinishedSample)
    /// The share is done, and took so many network calls.
    case finished(calls: Int)

    /// A message that no process of this program sends.
    package struct Malformed: Error, CustomStringConvertible {
        let count: Int
        package var description: String {
            "a message of \(count) numbers from another process cannot be read; start all processes from the same build"
        }
    }

    private enum Tag: Int { case sample, finished }
    /// Numbers of a sample before its decisions, the tag among them.
    private static let headCount = 10
    private static let decisionCount = 3

    /// As a group of processes carries it: the tag, then the parts.
    package var numbers: [Double] {
        switch self {
        case .finished(let calls): return [Double(Tag.finished.rawValue), Double(calls)]
        case .sample(let sample):
            let cost = sample.cost
            let head = [
                Tag.sample.rawValue, sample.sample, cost.calls, cost.windows, cost.evaluations, cost.accepted,
                cost.rejected, cost.plainSteps, cost.extraDraws, sample.decisions.count,
            ]
            let decisions = sample.decisions.flatMap { decision -> [Double] in
                [Double(decision.step), decision.isAccepted ? 1 : 0, decision.acceptance]
            }
            return head.map(Double.init) + decisions + sample.state
        }
    }

    /// - Throws: `Malformed`
    package init(numbers: [Double]) throws {
        let malformed = Malformed(count: numbers.count)
        // A head of a sample; the end of a share has fewer numbers, all of them integers.
        let head = numbers.prefix(Self.headCount).compactMap { Int(exactly: $0) }
        let isWhole = head.count == min(numbers.count, Self.headCount)  // nothing in it was no integer
        guard isWhole, let first = head.first, let tag = Tag(rawValue: first) else { throw malformed }
        switch tag {
        case .finished:
            guard numbers.count == 2 else { throw malformed }
            self = .finished(calls: head[1])
        case .sample:
            guard head.count == Self.headCount, head[9] >= 0, head[9] <= numbers.count else { throw malformed }
            let stateStart = Self.headCount + Self.decisionCount * head[9]
            guard stateStart <= numbers.count else { throw malformed }
            let decisions = try stride(from: Self.headCount, to: stateStart, by: Self.decisionCount).map {
                guard let step = Int(exactly: numbers[$0]) else { throw malformed }
                return FinishedSample.Decision(
                    step: step, isAccepted: numbers[$0 + 1] == 1, acceptance: numbers[$0 + 2])
            }
            self = .sample(
                FinishedSample(
                    sample: head[1],
                    cost: SamplingCost(
                        calls: head[2], windows: head[3], evaluations: head[4], accepted: head[5], rejected: head[6],
                        plainSteps: head[7], extraDraws: head[8]),
                    decisions: decisions, state: Array(numbers[stateStart...])))
        }
    }
}
