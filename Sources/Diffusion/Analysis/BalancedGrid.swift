import Couplings

/// A time grid on which every step's draft is rejected about equally often: where drafts are often rejected steps are made
/// shorter, and elsewhere longer, as many as before. It is another discretisation with a law of its own, and need not save calls:
/// rejections grow more slowly than a step's length, so that they are fewest in all where some steps have most of them.
public enum BalancedGrid {
    /// `P(rejected)` by step, as the acceptance `2Φ(-‖Δ‖/2)` of the drafts that were decided predicts it.
    public struct Rejections: Sendable {
        /// A mean over trajectories and the steps nearby; 0 where nothing was drafted.
        public let byStep: [Double]
        /// Calls a trajectory.
        public let calls: Double

        /// Standard deviation over mean, of the steps where anything is rejected.
        public var spread: Double {
            let values = byStep.filter { $0 > 0 }
            let mean = values.reduce(0, +) / Double(max(1, values.count))
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count))
            return mean > 0 ? variance.squareRoot() / mean : 0
        }

        /// Runs some samples.
        /// - Parameters:
        ///   - sampler: a speculative one.
        ///   - count: trajectories, at least 1.
        ///   - onRound: called with the steps decided so far.
        public init(_ sampler: any Sampler<DenoisingChain>, count: Int, onRound: (Int) throws -> Void) throws {
            let steps = sampler.chain.stepCount
            var (sums, counts) = ([Double](repeating: 0, count: steps), [Double](repeating: 0, count: steps))
            var (calls, finished) = (0, 0)
            try sampler.run(samples: 0..<count, lanes: count) { info, active in
                for decision in info.decisions {
                    sums[decision.step] += 1 - decision.acceptance
                    counts[decision.step] += 1
                }
                try onRound(finished * steps + active.reduce(0) { $0 + min($1.step, steps - 1) })
            } onFinished: { sample in
                finished += 1
                calls += sample.cost.calls
            }
            let reach = steps / 25
            byStep = (0..<steps).map { step in
                let near = max(0, step - reach)...min(steps - 1, step + reach)
                let decided = near.reduce(0) { $0 + counts[$1] }
                return decided > 0 ? near.reduce(0) { $0 + sums[$1] } / decided : 0
            }
            self.calls = Double(calls) / Double(count)
        }
    }

    /// The grid with its steps shared out anew: as many in each stretch of time as it has rejections. No stretch gets less than a
    /// quarter of its share, for a step that is never rejected must still be short enough for the chain.
    /// - Parameters:
    ///   - times: `t_0 > … > t_K`.
    ///   - rejections: one a step.
    public static func shared(_ times: [Double], by rejections: [Double]) -> [Double] {
        let steps = times.count - 1
        let mean = rejections.reduce(0, +) / Double(max(1, steps))
        guard steps > 1, mean > 0 else { return times }
        let weights = rejections.map { max($0, mean / 4) }
        let total = weights.reduce(0, +)
        var new = [times[0]]
        var (k, below) = (0, 0.0)  // the stretch, and the weight before it
        for i in 1..<steps {
            let wanted = total * Double(i) / Double(steps)
            while k < steps - 1, below + weights[k] < wanted {
                below += weights[k]
                k += 1
            }
            let share = min(1, (wanted - below) / weights[k])
            new.append(times[k] + share * (times[k + 1] - times[k]))
        }
        return new + [times[steps]]
    }
}
