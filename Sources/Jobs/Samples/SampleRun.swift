import Diffusion
import Foundation
import Models
import Reports
import Statistics

/// One run of a sampler over some samples, with its costs.
struct SampleRun {
    /// The account so far; of an earlier process too, if it is set before the run.
    var tally: SamplingTally
    /// Of the first samples.
    private(set) var windows = WindowLog()
    private let title: String
    private let sampler: any Sampler
    private let request: SampleRequest
    /// How its samples are made.
    let description: SamplingDescription
    private let monitor: any RunMonitor

    init(
        _ title: String, sampler: any Sampler, of model: ImageModel, request: SampleRequest, monitor: any RunMonitor
    ) {
        (self.title, self.sampler, self.request, self.monitor) = (title, sampler, request, monitor)
        description = SamplingDescription(request.recipe, isExact: sampler.isExact, notes: model.notes)
        tally = SamplingTally(stepCount: sampler.chain.stepCount)
    }

    /// Runs to the end.
    /// - Parameters:
    ///   - samples: still to be made.
    ///   - others: finished samples that came from other processes since it was last asked.
    ///   - onRound: called after every round with the account so far.
    ///   - onActive: called after every round with the samples under way.
    ///   - onFinished: called once per sample, in the order in which they finish; returns the fingerprint of what it wrote.
    mutating func run(
        _ samples: some Collection<Int>, others: any SampleSource = NoOtherProcesses(),
        onRound: (SamplingTally) throws -> Void = { _ in }, onActive: ([SampleState]) throws -> Void = { _ in },
        onFinished: (FinishedSample) throws -> UInt64
    ) throws {
        let stepCount = sampler.chain.stepCount
        let (before, start) = (tally.seconds, ContinuousClock.now)
        let total = samples.count + others.expectedCount
        monitor.begin(title, total: Double(total * stepCount))
        defer { monitor.end() }
        var (finished, calls) = (0, 0)
        // A copy for the closures, which may not share self.
        var (tally, windows) = (tally, WindowLog(from: samples.first ?? 0))
        defer { (self.tally, self.windows) = (tally, windows) }

        func accept(_ sample: FinishedSample) throws {
            tally.add(sample, fingerprint: try onFinished(sample))
            finished += 1
        }
        func endRound(underWay: Int) throws {
            for sample in try others.arrived() { try accept(sample) }
            tally.seconds = before + (ContinuousClock.now - start).seconds
            try onRound(tally)
            monitor.update(done: Double(finished * stepCount + underWay)) { seconds in
                "\(finished) of \(total.counted("sample")), \((Double(calls) / seconds).formatted(digits: 1)) calls/s"
            }
        }
        do {
            try sampler.finish(samples: samples, lanes: request.batch) { info, active in
                try monitor.check()
                calls += info.calls
                tally.calls += info.calls
                windows.note(info)
                try onActive(active)
                try endRound(underWay: active.reduce(0) { $0 + ($1.step < stepCount ? $1.step : 0) })
            } onFinished: {
                try accept($0)
            }
            while finished < total || !others.isComplete {
                try monitor.check()
                // The others are at work; looking for their samples a thousand times a second is often enough.
                usleep(1000)
                try endRound(underWay: 0)
            }
        } catch {
            // Nothing that was finished shall be forgotten.
            try? onRound(tally)
            throw error
        }
        tally.calls += others.calls
        tally.seconds = before + (ContinuousClock.now - start).seconds
    }

    /// The report of a run that is over.
    var report: Report {
        Report(description, tally: tally, threads: request.threads)
    }

    /// A warning where speculation did not pay, saying what was done about it.
    func warnOfFallback() {
        let part = Double(tally.plainSteps) / Double(tally.samples.count * tally.steps.count)
        // A sample or two out of luck are no reason to speak.
        guard part > 0.25 else { return }
        let predicted = (100 * tally.predictedAcceptance).formatted(digits: 1)
        let isDrafted = tally.steps.contains { $0.drafted > 0 }
        let reason =
            if case .auto = request.recipe.speculation.window {
                "on this machine a window's rows take longer than its drafts save"
                    + (isDrafted ? " (their acceptance is \(predicted) %)" : "")
            } else {
                "at these steps too few drafts are accepted (\(predicted) %) for a window to pay"
            }
        let remedy =
            isDrafted
            ? "More steps or more churn bring drafts closer; diffspec plan compares." : "diffspec plan compares."
        monitor.warn("\(reason); \((100 * part).formatted(digits: 0)) % of the steps were plain ones. \(remedy)")
    }
}
