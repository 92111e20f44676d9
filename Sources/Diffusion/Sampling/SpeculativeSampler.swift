import Couplings

/// Algorithms 3 and 6 of DB25 (De Bortoli et al. 2025, *Accelerated Diffusion Models via Speculative Sampling*, §3.1 and
/// App. C): speculative sampling of a Gaussian chain.
///
/// A draft proposes a window of states, one call of the target scores them all, and the rule accepts or repairs them
/// in order up to the first rejection. Many samples run in lockstep: a call carries the rows of all of them.
public struct SpeculativeSampler<Chain: GaussianChain>: Sampler {
    public let chain: Chain
    public let draft: any Draft
    public let rule: any VerificationRule
    public let window: any WindowPolicy
    public let random: RandomSource
    public var isExact: Bool { rule.isExact }

    public init(
        chain: Chain, draft: any Draft, rule: any VerificationRule = ReflectionCoupling(), window: any WindowPolicy,
        random: RandomSource
    ) {
        self.chain = chain
        self.draft = draft
        self.rule = rule
        self.window = window
        self.random = random
    }

    /// - Parameters:
    ///   - chain: the target.
    ///   - draft: what proposes the window.
    ///   - rule: what accepts or repairs a drafted step.
    ///   - window: `L ≥ 1`, the same always.
    ///   - random: the keyed noise.
    /// - Throws: `DiffusionError` for a window below 1.
    public init(
        chain: Chain, draft: any Draft, rule: any VerificationRule = ReflectionCoupling(), window: Int,
        random: RandomSource
    ) throws(DiffusionError) {
        self.init(chain: chain, draft: draft, rule: rule, window: try FixedWindow(window), random: random)
    }

    public func step(_ samples: inout [SampleState]) throws -> StepInfo {
        var info = StepInfo()
        for (pass, refinement) in draft.refinements.enumerated() {
            let windows = try drafted(&samples, &info, iterate: refinement == .allWithoutNoise ? pass : nil)
            try score(windows, rows: refinement, &samples, &info)
        }
        let windows = try drafted(&samples, &info)
        try score(windows, rows: .all, &samples, &info)
        for i in samples.indices {
            if windows[i].isPlain {
                takePlainStep(&samples[i], &info)
            } else {
                if windows[i].length > 0 { samples[i].cost.windows += 1 }
                try verify(windows[i], &samples[i], &info)
            }
            samples[i].memory.forget(before: samples[i].step)
        }
        return info
    }

    /// 1. The draft's states `Ỹ_{k+1} = m^p_k + s_k Z_k`, step by step for all samples at once; without `Z_k` for an
    /// iterate of a draft that asks for such.
    /// - Parameter ownNoise: in place of the pinned increments, `Z_k` of the sample with this place in `samples`, asked for
    ///   step by step.
    func drafted(
        _ samples: inout [SampleState], _ info: inout StepInfo, iterate: Int? = nil,
        ownNoise: ((_ place: Int, _ step: Int) -> [Double])? = nil
    ) throws -> [DraftWindow] {
        var windows = samples.map { sample in
            let length = max(0, min(window.length(after: sample.decided), chain.stepCount - sample.step))
            // Most drafts have nothing to draft from before the target's first answer: that call only evaluates Y_n.
            let isBlind =
                sample.memory.evaluation(at: sample.step) == nil
                && !draft.canStart(sample: sample.sample, chain: chain)
            return sample.window(length: isBlind ? 0 : length, isPlain: length == 0, iterate: iterate)
        }
        while true {
            let open = windows.indices.filter { windows[$0].means.count < windows[$0].length }
            guard !open.isEmpty else { break }
            // Most often all are open, and nothing need be copied.
            let means = try draft.finiteMeans(
                for: open.count == windows.count ? windows : open.map { windows[$0] }, chain: chain)
            for (i, mean) in zip(open, means) {
                let (k, state) = (windows[i].currentStep, windows[i].currentState)
                guard iterate == nil else {
                    windows[i].means.append(mean)
                    windows[i].states.append(chain.layout.state(after: state, drawn: mean))
                    continue
                }
                let noise =
                    ownNoise?(i, k) ?? samples[i].pinnedNoise.increment(at: k)
                    ?? random.increment(sample: windows[i].sample, step: k, dimension: chain.drawnDimension)
                windows[i].means.append(mean)
                windows[i].noises.append(noise)
                let drawn = Vector.combine(1, mean, chain.transition(at: k).standardDeviation, noise)
                windows[i].states.append(chain.layout.state(after: state, drawn: drawn))
            }
            info.drafted += open.count
        }
        for (i, window) in windows.enumerated() where ownNoise == nil && !window.noises.isEmpty {
            samples[i].pinnedNoise = PinnedNoise(firstStep: window.firstStep, increments: window.noises)
        }
        return windows
    }

    /// 2. One target call on the windows' states. A state whose prediction is known already is not asked for again.
    func score(
        _ windows: [DraftWindow], rows: ScoredRows, _ samples: inout [SampleState], _ info: inout StepInfo
    ) throws {
        let queries = windows.map { window -> [ChainQuery] in
            let end =
                switch rows {
                case .first: 1
                // The last state decides nothing; its prediction serves the next window.
                case .all: max(1, draft.recyclesTarget ? window.length + 1 : window.length)
                case .allWithoutNoise: max(1, window.length)
                }
            return (0..<end).compactMap { j in
                let step = window.firstStep + j
                let state = window.states[j]
                if step == chain.stepCount || window.memory.evaluation(at: step)?.state == state { return nil }
                return ChainQuery(sample: window.sample, step: step, state: state)
            }
        }
        let predictions = try call(queries, &samples, &info)
        for i in samples.indices {
            for (query, prediction) in zip(queries[i], predictions[i]) {
                samples[i].memory.record(
                    step: query.step, state: query.state, prediction: prediction, layout: chain.layout,
                    keepingPairs: draft.secantPairs)
            }
            info.scored.append(
                .init(
                    window: windows[i],
                    answers: zip(queries[i], predictions[i]).map { (step: $0.step, prediction: $1) }))
        }
    }

    /// 3. Accepts drafts in order; the first rejection is repaired by the rule and ends the window.
    private func verify(_ window: DraftWindow, _ sample: inout SampleState, _ info: inout StepInfo) throws {
        let layout = chain.layout
        for j in 0..<window.length {
            let k = window.firstStep + j
            guard let evaluation = sample.memory.evaluation(at: k) else { break }
            let targetMean = chain.mean(step: k, state: window.states[j], prediction: evaluation.prediction)  // m^q_k
            let standardDeviation = chain.transition(at: k).standardDeviation
            sample.step = k + 1

            guard standardDeviation > 0 else {  // a deterministic step takes the target's mean, whatever was drafted
                sample.state = layout.state(after: window.states[j], drawn: targetMean)
                info.visits.append(.init(sample))
                let isMet = targetMean == layout.driven(window.states[j + 1])
                sample.decided.record(
                    .init(
                        step: k, position: j, distance: isMet ? 0 : .infinity, acceptance: isMet ? 1 : 0,
                        isAccepted: isMet))
                if isMet { continue } else { break }
            }
            let proposal = GaussianProposal(
                draftMean: window.means[j], targetMean: targetMean, standardDeviation: standardDeviation,
                noise: window.noises[j], state: layout.driven(window.states[j + 1]))
            var stream = random.stream(sample: sample.sample, step: k, purpose: .verification)
            let verdict = try rule.verify(proposal, randomness: &stream)
            sample.state = layout.state(after: window.states[j], drawn: verdict.state)
            info.visits.append(.init(sample))
            info.decisions.append(StepInfo.Decision(sample: sample.sample, step: k, verdict: verdict))
            sample.decided.record(
                .init(
                    step: k, position: j, distance: verdict.distance, acceptance: verdict.acceptance,
                    isAccepted: verdict.isAccepted))
            sample.cost.extraDraws += verdict.extraDraws
            if verdict.isAccepted {
                sample.cost.accepted += 1
            } else {
                sample.cost.rejected += 1
                break
            }
        }
    }

    /// A step without a draft: `Y_{n+1} = m^q_n(Y_n) + s_n Z_n`, as plain sampling takes it.
    func takePlainStep(_ sample: inout SampleState, _ info: inout StepInfo) {
        let n = sample.step
        guard let evaluation = sample.memory.evaluation(at: n) else { return }
        let mean = chain.mean(step: n, state: sample.state, prediction: evaluation.prediction)
        let noise = random.increment(sample: sample.sample, step: n, dimension: chain.drawnDimension)
        let drawn = Vector.combine(1, mean, chain.transition(at: n).standardDeviation, noise)
        sample.state = chain.layout.state(after: sample.state, drawn: drawn)
        sample.step = n + 1
        info.visits.append(.init(sample))
        sample.decided.recordPlainStep()
        sample.cost.plainSteps += 1
    }
}
