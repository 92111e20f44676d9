import Diffusion

/// The windows of a few samples, call by call: what was drafted, and what came of it.
package struct WindowLog: Sendable {
    package struct Window: Sendable, Equatable {
        package let firstStep: Int
        /// Steps that were drafted.
        package let length: Int
        package let accepted: Int
        /// Whether the step behind the accepted ones was rejected, and so repaired.
        package let isRepaired: Bool

        package init(firstStep: Int, length: Int, accepted: Int, isRepaired: Bool) {
            (self.firstStep, self.length, self.accepted, self.isRepaired) = (firstStep, length, accepted, isRepaired)
        }
    }

    /// More could not be looked at.
    package static let mostSamples = 8

    private let samples: Range<Int>
    private var windows: [Int: [Window]] = [:]

    /// - Parameter first: the number of the first sample that is looked at.
    package init(from first: Int = 0) { samples = first..<first + Self.mostSamples }

    /// Takes in a round.
    package mutating func note(_ info: StepInfo) {
        for scored in info.scored where samples.contains(scored.window.sample) {
            let window = scored.window
            let decisions = info.decisions.filter { $0.sample == window.sample }
            windows[window.sample, default: []].append(
                Window(
                    firstStep: window.firstStep, length: window.length, accepted: decisions.count { $0.isAccepted },
                    isRepaired: decisions.contains { !$0.isAccepted }))
        }
    }

    /// Of each sample, in order.
    package var bySample: [(sample: Int, windows: [Window])] {
        windows.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
