import Couplings
import Diffusion
import Foundation
import NeuralNetwork
import Models

/// One run of a sampler over some samples, with its costs.
struct SamplingRun {
    private(set) var tally: SamplingTally
    private let options: SamplingOptions
    private let isPlain: Bool
    /// Whether the samples have the law of plain sampling.
    let isExact: Bool

    /// Runs to the end.
    /// - Parameters:
    ///   - samples: still to be made.
    ///   - earlier: the account of those that were made before, in an earlier process.
    ///   - others: finished samples that came from other processes since it was last asked.
    ///   - onRound: called after every round with the account so far.
    ///   - onFinished: called once per sample, in the order in which they finish; returns the fingerprint of what it wrote.
    init(
        _ title: String, sampler: any Sampler, samples: some Collection<Int>, options: SamplingOptions,
        earlier: SamplingTally? = nil, others: any SampleSource = NoOtherProcesses(),
        onRound: (SamplingTally) throws -> Void = { _ in },
        onFinished: (FinishedSample) throws -> UInt64
    ) throws {
        self.options = options
        isPlain = sampler is SequentialSampler<DenoisingChain>
        isExact = sampler.isExact
        tally = earlier ?? SamplingTally(stepCount: sampler.chain.stepCount)
        try run(title, sampler, samples, others, onRound, onFinished)
    }

    private mutating func run(
        _ title: String, _ sampler: any Sampler, _ samples: some Collection<Int>, _ others: any SampleSource,
        _ onRound: (SamplingTally) throws -> Void, _ onFinished: (FinishedSample) throws -> UInt64
    ) throws {
        let stepCount = sampler.chain.stepCount
        let (before, start) = (tally.seconds, ContinuousClock.now)
        let total = samples.count + others.expectedCount
        var progress = Progress(title, total: Double(total * stepCount), isQuiet: options.quiet)
        defer { progress.finish() }
        var (finished, calls) = (0, 0)
        // A copy for the closures, which may not share self.
        var tally = tally
        defer { self.tally = tally }

        func accept(_ sample: FinishedSample) throws {
            tally.add(sample, fingerprint: try onFinished(sample))
            finished += 1
        }
        func endRound(underWay: Int) throws {
            for sample in try others.arrived() { try accept(sample) }
            tally.seconds = before + (ContinuousClock.now - start).seconds
            try onRound(tally)
            progress.update(done: Double(finished * stepCount + underWay)) { seconds in
                "\(finished) of \(total) samples, \(calls) calls, \((Double(calls) / seconds).formatted(digits: 1)) calls/s"
            }
        }
        do {
            try sampler.finish(samples: samples, lanes: options.batch) { info, active in
                try Interruption.check()
                calls += info.calls
                tally.calls += info.calls
                try endRound(underWay: active.reduce(0) { $0 + ($1.step < stepCount ? $1.step : 0) })
            } onFinished: {
                try accept($0)
            }
            while finished < total || !others.isComplete {
                try Interruption.check()
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

    /// A line on stderr where speculation did not pay, saying what was done about it.
    func warnOfFallback() {
        let part = Double(tally.plainSteps) / Double(tally.samples.count * tally.steps.count)
        // A sample or two out of luck are no reason to speak.
        guard !options.quiet, part > 0.25 else { return }
        let predicted = (100 * tally.predictedAcceptance).formatted(digits: 1)
        let isDrafted = tally.steps.contains { $0.drafted > 0 }
        let reason =
            if case .auto = options.window {
                "on this machine a window's rows take longer than its drafts save"
                    + (isDrafted ? " (their acceptance is \(predicted) %)" : "")
            } else {
                "at these steps too few drafts are accepted (\(predicted) %) for a window to pay"
            }
        let remedy =
            isDrafted
            ? "More steps or more churn bring drafts closer; diffspec plan compares." : "diffspec plan compares."
        let line =
            "warning: \(reason); \((100 * part).formatted(digits: 0)) % of the steps were plain ones. \(remedy)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    var report: Report {
        Report(options.description(isPlain: isPlain, isExact: isExact), tally: tally, threads: options.threads)
    }
}

/// Where finished samples come from beside a process's own.
protocol SampleSource {
    /// How many samples will have come in the end.
    var expectedCount: Int { get }
    /// Those that came since it was last asked.
    func arrived() throws -> [FinishedSample]
    /// Whether nothing more will come.
    var isComplete: Bool { get }
    /// The network calls they took; known once all is complete.
    var calls: Int { get }
}

struct NoOtherProcesses: SampleSource {
    var expectedCount: Int { 0 }
    func arrived() -> [FinishedSample] { [] }
    var isComplete: Bool { true }
    var calls: Int { 0 }
}

extension Double {
    func formatted(digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
