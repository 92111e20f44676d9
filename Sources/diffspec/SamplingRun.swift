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

    /// Runs to the end, handing each finished state over with its index in `samples`.
    init(
        _ title: String, sampler: any Sampler, samples: Range<Int>, options: SamplingOptions,
        onFinished: (Int, [Double]) throws -> Void
    ) throws {
        self.options = options
        isPlain = sampler is SequentialSampler<DenoisingChain>
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
                bySteps[decision.step].predicted_acceptance += maximalAcceptance(distance: decision.distance)
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
    var isExact: Bool { isPlain || options.isExact }

    var report: Report {
        Report(
            model: options.model.model, steps: options.model.steps, window: options.window,
            draft: isPlain ? "none" : options.draft.rawValue, churn: options.model.churn,
            temperature: options.temperature, exact: isExact, seed: options.seed, count: costs.count,
            threads: options.threads, calls: calls, wall_seconds: seconds, nfe: nfe, evaluations: evaluations,
            acceptance: acceptance,
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
