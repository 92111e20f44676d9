import Couplings
import Diffusion

/// The speculative loop once more, written out with nothing but the frozen denoiser, so that the rules which the library's
/// types don't let anyone break can be broken here: the controls of the tests of exactness. Without a fault it is exact.
struct BareLoop<Chain: GaussianChain> {
    enum Fault: CaseIterable, Sendable {
        case none
        /// Breaks R3: a window ends before the next step whose draft was last seen to fail, although that step was not
        /// decided; the step is then drafted with a better mean.
        case windowFromUndecidedFlags
        /// Breaks R2: noise that was seen to make an undecided draft fail is drawn again.
        case noiseRedrawnAfterALook
    }

    let chain: Chain
    let random: RandomSource
    let fault: Fault

    func final(sample: Int) throws -> [Double] {
        let (stepCount, rule) = (chain.stepCount, ReflectionCoupling())
        var start = random.stream(sample: sample, step: 0, purpose: .initialState)
        var state = chain.initialState(sample: sample, noise: start.normals(chain.dimension))
        var prediction = try predict(sample, [(0, state)])[0]
        var attempts = [Int](repeating: 0, count: stepCount)  // which noise of a step is in use
        var hasFailed = [Bool](repeating: false, count: stepCount)  // as last seen
        var (n, length) = (0, stepCount)
        while n < stepCount {
            let end = min(n + max(1, length), stepCount)
            // Draft from the prediction at Ỹ_n.
            var (states, means, noises) = ([state], [[Double]](), [[Double]]())
            for k in n..<end {
                let mean = chain.mean(step: k, state: states[k - n], prediction: prediction)
                let noise = random.increment(
                    sample: sample, step: k + stepCount * attempts[k], dimension: chain.dimension)
                means.append(mean)
                noises.append(noise)
                states.append(zip(mean, noise).map { $0 + chain.transition(at: k).standardDeviation * $1 })
            }
            // Score, with the last state's prediction for the next window.
            let rows = (n...end).filter { $0 < stepCount }.map { ($0, states[$0 - n]) }
            let predictions = try predict(sample, rows)
            // Every flag, the undecided ones too.
            let verdicts = (n..<end).map { k in
                var stream = random.stream(sample: sample, step: k + stepCount * attempts[k], purpose: .verification)
                return rule.verify(
                    GaussianProposal(
                        draftMean: means[k - n],
                        targetMean: chain.mean(step: k, state: states[k - n], prediction: predictions[k - n]),
                        standardDeviation: chain.transition(at: k).standardDeviation, noise: noises[k - n],
                        state: states[k - n + 1]),
                    randomness: &stream)
            }
            let decided = (verdicts.firstIndex { !$0.isAccepted } ?? verdicts.count - 1) + 1
            for k in n + decided..<end { hasFailed[k] = !verdicts[k - n].isAccepted }
            state = verdicts[decided - 1].state
            n += decided
            if n < stepCount { prediction = predictions[decided] }
            switch fault {
            case .none: length = stepCount
            case .windowFromUndecidedFlags:
                length = (hasFailed.indices.first { $0 > n && hasFailed[$0] } ?? stepCount) - n
            case .noiseRedrawnAfterALook:
                for k in hasFailed.indices where k >= n && hasFailed[k] {
                    attempts[k] += 1
                    hasFailed[k] = false
                }
            }
        }
        return state
    }

    private func predict(_ sample: Int, _ rows: [(step: Int, state: [Double])]) throws -> [[Double]] {
        try chain.predictions(for: rows.map { ChainQuery(sample: sample, step: $0.step, state: $0.state) })
    }
}
