import Couplings

/// Speculative sampling with whole windows verified at once, see `BlockVerification`.
///
/// Which drafts stand depends on the noise of all the window's steps, those behind the last that stands among them. So the noise
/// cannot be pinned as it is elsewhere (rule R2): each window draws its own, keyed by the step that it starts from, which no
/// other window of the sample starts from. Nor can a repair keep the rejected draft's noise across `Δ`, on which later coins
/// depended. What the target answered along the old path is then farther from the new one in every dimension: what a block gains
/// in steps it loses in drafts, in high dimensions far more than that (Benchmarks/results/field.md).
public struct BlockSampler<Chain: GaussianChain>: Sampler {
    public let rule: any BlockRule
    /// Drafts, and asks the target.
    private let drafting: SpeculativeSampler<Chain>
    /// Whether a window has noise of its own. Only a control does without.
    private let hasOwnNoise: Bool

    public var chain: Chain { drafting.chain }
    public var random: RandomSource { drafting.random }
    public var isExact: Bool { rule.isExact }

    /// - Parameters:
    ///   - chain: the target.
    ///   - draft: what proposes the window.
    ///   - rule: what decides over it.
    ///   - window: how far ahead a sample drafts.
    ///   - random: the keyed noise.
    public init(
        chain: Chain, draft: any Draft, rule: any BlockRule = BlockVerification(), window: any WindowPolicy,
        random: RandomSource
    ) {
        self.init(chain: chain, draft: draft, rule: rule, window: window, random: random, hasOwnNoise: true)
    }

    package init(
        chain: Chain, draft: any Draft, rule: any BlockRule, window: any WindowPolicy, random: RandomSource,
        hasOwnNoise: Bool
    ) {
        drafting = SpeculativeSampler(chain: chain, draft: draft, window: window, random: random)
        (self.rule, self.hasOwnNoise) = (rule, hasOwnNoise)
    }

    public func step(_ samples: inout [SampleState]) throws -> StepInfo {
        var info = StepInfo()
        let draft = drafting.draft
        for (pass, refinement) in draft.refinements.enumerated() {
            let windows = try drafted(
                &samples, &info, iterate: refinement == .allWithoutNoise ? pass : nil)
            try drafting.score(windows, rows: refinement, &samples, &info)
        }
        let windows = try drafted(&samples, &info)
        try drafting.score(windows, rows: .all, &samples, &info)
        for i in samples.indices {
            if windows[i].isPlain {
                drafting.takePlainStep(&samples[i], &info)
            } else {
                if windows[i].length > 0 { samples[i].cost.windows += 1 }
                verify(windows[i], &samples[i], &info)
            }
            samples[i].memory.forget(before: samples[i].step)
        }
        return info
    }

    /// The same noise in every pass over a window, and in no other window.
    private func drafted(
        _ samples: inout [SampleState], _ info: inout StepInfo, iterate: Int? = nil
    ) throws -> [DraftWindow] {
        guard hasOwnNoise else { return try drafting.drafted(&samples, &info, iterate: iterate) }
        var streams = samples.map { random.stream(sample: $0.sample, step: $0.step, purpose: .auxiliary) }
        return try drafting.drafted(&samples, &info, iterate: iterate) { sample, _ in
            streams[sample].normals(chain.drawnDimension)
        }
    }

    private func verify(_ window: DraftWindow, _ sample: inout SampleState, _ info: inout StepInfo) {
        // A deterministic step takes the target's mean, whatever was drafted: the block ends before it.
        var proposals: [GaussianProposal] = []
        var deterministic: [Double]?
        for j in 0..<window.length {
            let k = window.firstStep + j
            guard let evaluation = sample.memory.evaluation(at: k) else { break }
            let targetMean = chain.mean(step: k, state: window.states[j], prediction: evaluation.prediction)  // m^q_k
            let standardDeviation = chain.transition(at: k).standardDeviation
            guard standardDeviation > 0 else {
                deterministic = targetMean
                break
            }
            proposals.append(
                GaussianProposal(
                    draftMean: window.means[j], targetMean: targetMean, standardDeviation: standardDeviation,
                    noise: window.noises[j], state: chain.layout.driven(window.states[j + 1])))
        }
        var stream = random.stream(sample: sample.sample, step: window.firstStep, purpose: .verification)
        let block = rule.verify(proposals, randomness: &stream)
        for (j, proposal) in proposals.prefix(block.accepted + 1).enumerated() {
            let isAccepted = j < block.accepted
            let distance = Vector.squaredNorm(proposal.discrepancy).squareRoot()
            let verdict = Verdict(
                state: isAccepted ? proposal.state : block.repair ?? proposal.state, isAccepted: isAccepted,
                distance: distance)
            decide(verdict, at: window.firstStep + j, position: j, &sample, &info)
        }
        if block.accepted == proposals.count, let deterministic {
            sample.state = chain.layout.state(after: sample.state, drawn: deterministic)
            sample.step = window.firstStep + proposals.count + 1
            info.visits.append(.init(sample))
        }
    }

    private func decide(
        _ verdict: Verdict, at step: Int, position: Int, _ sample: inout SampleState, _ info: inout StepInfo
    ) {
        sample.state = chain.layout.state(after: sample.state, drawn: verdict.state)
        sample.step = step + 1
        info.visits.append(.init(sample))
        info.decisions.append(StepInfo.Decision(sample: sample.sample, step: step, verdict: verdict))
        sample.decided.record(
            .init(
                step: step, position: position, distance: verdict.distance, acceptance: verdict.acceptance,
                isAccepted: verdict.isAccepted))
        if verdict.isAccepted { sample.cost.accepted += 1 } else { sample.cost.rejected += 1 }
    }
}
