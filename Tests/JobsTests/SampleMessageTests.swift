import Diffusion
import Jobs
import Reports
import Testing

@Suite("Messages between processes")
struct SampleMessageTests {
    static let sample = FinishedSample(
        sample: 41,
        cost: SamplingCost(
            calls: 9, windows: 8, evaluations: 70, accepted: 11, rejected: 3, plainSteps: 2, extraDraws: 1),
        decisions: [
            .init(step: 0, isAccepted: true, acceptance: 0.75), .init(step: 1, isAccepted: false, acceptance: 0.5),
        ],
        state: [0.25, -3, .pi])

    @Test func aSampleArrivesAsItWasSent() throws {
        let numbers = SampleMessage.sample(Self.sample).numbers
        guard case .sample(let arrived) = try SampleMessage(numbers: numbers) else {
            Issue.record("a sample became something else")
            return
        }
        #expect(arrived.sample == 41 && arrived.cost == Self.sample.cost && arrived.state == Self.sample.state)
        #expect(arrived.decisions.map(\.step) == [0, 1] && arrived.decisions.map(\.isAccepted) == [true, false])
        #expect(arrived.decisions.map(\.acceptance) == [0.75, 0.5])
    }

    @Test func theEndOfAShareSaysItsCalls() throws {
        guard case .finished(let calls) = try SampleMessage(numbers: SampleMessage.finished(calls: 77).numbers) else {
            Issue.record("an end became something else")
            return
        }
        #expect(calls == 77)
    }

    /// Every message that is cut short, or of a kind unknown, is an error and no trap.
    @Test func malformedMessagesAreRefused() {
        let whole = SampleMessage.sample(Self.sample).numbers
        let headAndDecisions = whole.count - Self.sample.state.count
        for count in 0..<headAndDecisions {
            #expect(throws: SampleMessage.Malformed.self) { try SampleMessage(numbers: Array(whole.prefix(count))) }
        }
        for numbers in [[2.0], [-1, 3], [.nan], [1], [1, 2, 3], [0.5, 1]] {
            #expect(throws: SampleMessage.Malformed.self) { try SampleMessage(numbers: numbers) }
        }
    }
}
