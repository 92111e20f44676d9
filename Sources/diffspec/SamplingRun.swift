import Couplings
import Diffusion
import Foundation
import NeuralNetwork
import Pretrained

/// One run of a sampler over a range of samples, with its costs.
struct SamplingRun {
    private(set) var calls = 0
    private(set) var seconds = 0.0
    private var costs: [SamplingCost]
    private var bySteps: [Report.Step]
    private let options: SamplingOptions
    private let isPlain: Bool
    /// Whether the samples have the law of plain sampling.
    let isExact: Bool

    /// Runs to the end, handing each finished state over with its index in `samples`.
    init(
        _ title: String, sampler: any Sampler, samples: Range<Int>, options: SamplingOptions,
        onFinished: (Int, [Double]) throws -> Void
    ) throws {
        self.options = options
        isPlain = sampler is SequentialSampler<DenoisingChain>
        isExact = (sampler as? SpeculativeSampler<DenoisingChain>)?.rule.isExact ?? true
        costs = [SamplingCost](repeating: SamplingCost(), count: samples.count)
        bySteps = (0..<sampler.chain.stepCount).map { Report.Step(step: $0) }
        let clock = ContinuousClock.now
        try run(title, sampler, samples, onFinished)
        seconds = (ContinuousClock.now - clock).seconds
        for k in bySteps.indices where bySteps[k].drafted > 0 {
            bySteps[k].predicted_acceptance /= Double(bySteps[k].drafted)
        }
    }

    private mutating func run(
        _ title: String, _ sampler: any Sampler, _ samples: Range<Int>,
        _ onFinished: (Int, [Double]) throws -> Void
    ) throws {
        let stepCount = sampler.chain.stepCount
        var progress = Progress(title, total: Double(samples.count * stepCount), isQuiet: options.quiet)
        defer { progress.finish() }
        var finished = 0
        try sampler.run(samples: samples, lanes: options.batch) { info, active in
            try Interruption.check()
            calls += info.calls
            for decision in info.decisions {
                bySteps[decision.step].drafted += 1
                bySteps[decision.step].accepted += decision.isAccepted ? 1 : 0
                bySteps[decision.step].predicted_acceptance += decision.acceptance
            }
            let underWay = active.reduce(0) { $0 + ($1.step < stepCount ? $1.step : 0) }
            progress.update(done: Double(finished * stepCount + underWay)) { seconds in
                "\(finished) of \(samples.count) samples, \(calls) calls, \((Double(calls) / seconds).formatted(digits: 1)) calls/s"
            }
        } onFinished: { state in
            finished += 1
            costs[state.sample - samples.lowerBound] = state.cost
            try onFinished(state.sample - samples.lowerBound, state.state)
        }
    }

    var nfe: Report.Summary { .init(costs.map(\.calls)) }
    var evaluations: Report.Summary { .init(costs.map(\.evaluations)) }
    /// Accepted of decided drafts; 0 where nothing was drafted.
    var acceptance: Double {
        let (accepted, rejected) = costs.reduce((0, 0)) { ($0.0 + $1.accepted, $0.1 + $1.rejected) }
        return accepted + rejected > 0 ? Double(accepted) / Double(accepted + rejected) : 0
    }
    /// Steps that were taken without a draft because drafting would not have paid.
    var plainSteps: Int { costs.reduce(0) { $0 + $1.plainSteps } }
    /// States that the rule drew from the target upon rejections.
    var extraDraws: Int { costs.reduce(0) { $0 + $1.extraDraws } }
    /// Mean over decided drafts of the acceptance that their distance predicts.
    var predictedAcceptance: Double {
        let (sum, drafted) = bySteps.reduce((0.0, 0)) {
            ($0.0 + $1.predicted_acceptance * Double($1.drafted), $0.1 + $1.drafted)
        }
        return drafted > 0 ? sum / Double(drafted) : 0
    }

    /// A line on stderr where speculation did not pay, saying what was done about it.
    func warnOfFallback() {
        let part = Double(plainSteps) / Double(costs.count * bySteps.count)
        // A sample or two out of luck are no reason to speak.
        guard !options.quiet, part > 0.25 else { return }
        let predicted = (100 * predictedAcceptance).formatted(digits: 1)
        let reason =
            if case .auto = options.window {
                "on this machine a window's rows take longer than its drafts save (their acceptance is \(predicted) %)"
            } else {
                "at these steps too few drafts are accepted (\(predicted) %) for a window to pay"
            }
        let line = "warning: \(reason); \((100 * part).formatted(digits: 0)) % of the steps were plain ones. More steps or more churn bring drafts closer; diffspec plan compares.\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    var report: Report {
        Report(
            model: options.model.model, steps: options.model.steps, window: options.window,
            draft: isPlain ? "none" : options.draft.name, churn: options.model.churn,
            temperature: options.effectiveTemperature, rule: isPlain ? "none" : options.effectiveRule.name, exact: isExact, seed: options.seed, count: costs.count,
            threads: options.threads, calls: calls, wall_seconds: seconds, nfe: nfe, evaluations: evaluations,
            acceptance: acceptance, plain_steps: isPlain ? costs.count * bySteps.count : plainSteps, extra_draws: extraDraws,
            per_sample: costs.map {
                .init(nfe: $0.calls, evaluations: $0.evaluations, accepted: $0.accepted, rejected: $0.rejected)
            },
            by_step: bySteps,
            versions: .init(diffspec: Version.current, openblas_core: LinearAlgebra.coreName))
    }
}

extension Double {
    func formatted(digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
