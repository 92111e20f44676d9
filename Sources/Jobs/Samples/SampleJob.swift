import Diffusion
import Foundation
import Imaging
import Models
import Platform
import Processes
import Reports
import Statistics

/// What several processes share out.
public enum ParallelMode: String, CaseIterable, Sendable {
    case samples, window
}

/// Samples made by one process or several: the work of `diffspec sample`.
public struct SampleJob {
    public let request: SampleRequest
    public let mode: ParallelMode
    let group: any ProcessGroup
    let monitor: any RunMonitor

    public init(
        _ request: SampleRequest, mode: ParallelMode = .samples, in group: any ProcessGroup = SingleProcess(),
        monitor: any RunMonitor = NoMonitor()
    ) {
        (self.request, self.mode, self.group, self.monitor) = (request, mode, group, monitor)
    }

    /// What became of a job.
    public struct Outcome: RunResult {
        public let report: Report
        /// Pictures in the grid.
        let shown: Int
        let request: SampleRequest
        /// Of the first samples, for a page; nil for none.
        let picture: Page.Content?
        let windows: WindowLog

        public func encode(to encoder: any Encoder) throws { try report.encode(to: encoder) }
    }

    /// Does the work.
    /// - Returns: the outcome at process 0, nil at all others.
    /// - Throws: `RecipeError`, `OutputError`, `ManifestError` and what the model throws; what the monitor throws to end
    ///   it, once what is finished is kept.
    public func run() throws -> Outcome? {
        try request.validate()
        if group.rank == 0 {
            try OutputError.checkWritable(
                pictures: [request.grid, request.animation], tensors: [request.tensors])
        }
        let model = try request.recipe.load(
            telling: group.rank == 0 ? monitor : NoMonitor(), threads: request.threads)
        try MemoryNeed.check(of: model, request)
        let labels = try request.gridStyle.labels(of: model, request.recipe)

        var denoiser: DistributedDenoiser?
        if mode == .window, group.size > 1 {
            denoiser = DistributedDenoiser(
                model.denoiser(threads: request.threads), group: group, capacity: request.largestCall(for: model))
            if group.rank > 0 {
                try denoiser?.serve()
                return nil
            }
        }
        let sampler = try model.sampler(
            request.recipe, lanes: request.lanes, threads: request.threads, denoiser: denoiser)
        if mode == .samples, group.rank > 0 {
            try SampleShares.work(in: group, sampler: sampler, lanes: request.batch, monitor: monitor)
            return nil
        }
        let (run, pictures) = try make(with: sampler, of: model)
        denoiser?.release()
        let times = denoiser?.times
        let parallel =
            group.size == 1
            ? nil
            : Report.Parallel(
                mode: mode.rawValue, ranks: group.size, callSeconds: times?.seconds, computingSeconds: times?.computing)
        let report = Report(
            run.description, tally: run.tally, threads: request.threads,
            shard: request.shard == .whole ? nil : "\(request.shard)", parallel: parallel)
        if let grid = request.grid {
            try request.gridStyle.write(pictures, labels: labels, to: grid, of: request.recipe, report)
        }
        if let path = request.animation {
            try SampleAnimation(model: model, request: request, monitor: monitor).write(
                to: path, texts: request.gridStyle.texts(request.recipe, report))
        }
        run.warnOfFallback()
        let picture =
            request.keepsPictures
            ? request.gridStyle.content(pictures, labels: labels, of: request.recipe) : nil
        return Outcome(
            report: report, shown: pictures.count, request: request, picture: picture, windows: run.windows)
    }

    /// All that process 0 does: whatever is written, it writes.
    private func make(with sampler: any Sampler, of model: ImageModel) throws -> (SampleRun, [Image]) {
        let samples = request.shard.samples(of: request.count)
        let isShared = mode == .samples && group.size > 1
        var run = SampleRun(
            request.shard == .whole ? "sampling" : "shard \(request.shard)", sampler: sampler, of: model,
            request: request, monitor: monitor)
        func shares(_ samples: [Int]) -> (own: [Int], others: any SampleSource) {
            isShared ? SampleShares.handOut(samples, in: group) : (samples, NoOtherProcesses())
        }
        var (rounds, hasPreview) = (0, false)
        /// Writes a preview, where it is time for one.
        func preview(_ active: [SampleState], _ output: SampleOutput) throws {
            rounds += 1
            guard let path = request.preview, let every = request.previewRounds, rounds % every == 0 else { return }
            hasPreview = true
            try output.writePreview(of: active, request.gridStyle, to: path)
        }
        // The picture itself takes its place.
        defer { if hasPreview, let path = request.preview { try? FileManager.default.removeItem(atPath: path) } }
        guard let folder = request.folder else {
            var output = try SampleOutput(
                format: SampleFormat(model), samples: samples, keepsGrid: request.keepsGrid, folder: nil,
                tensors: request.tensors, decoder: model.decoder, threads: request.threads)
            defer { output.cancel() }
            let (own, others) = shares(Array(samples))
            try run.run(own, others: others, onActive: { try preview($0, output) }) {
                try output.accept($0.state, sample: $0.sample)
            }
            try output.finish()
            return (run, try output.pictures())
        }
        var job = try JobFolder(
            JobDescription(request, model: model, isExact: sampler.isExact), request, at: folder,
            decoder: model.decoder, monitor: monitor)
        run.tally = job.manifest.tally
        let (own, others) = shares(job.missing)
        do {
            try run.run(own, others: others) {
                try job.note($0)
            } onActive: {
                try preview($0, job.output)
            } onFinished: {
                try job.output.accept($0.state, sample: $0.sample)
            }
            try job.finish(run.tally)
        } catch {
            // What is done is done, if the disk lets us say so.
            try? job.save()
            if let interrupted = error as? Interrupted { throw interrupted.adding(job.progress) }
            throw error
        }
        return (run, try job.output.pictures())
    }
}

extension SampleJob.Outcome {
    public var page: Page {
        let sampling = SamplingSections(
            report: report, windows: windows, rowsAState: request.recipe.chain.guidance == 0 ? 1 : 2)
        var sections = sampling.all
        if let picture { sections.insert(.init("Samples", picture), at: 0) }
        return Page(sampling.title, facts: sampling.facts, sections: sections + [.init("In words", .text(text))])
    }

    public var text: String {
        let speculation = request.recipe.speculation
        let (nfe, evaluations, steps) = (report.nfe, report.evaluations, report.steps)
        let part = report.shard.map { ", shard \($0)" } ?? ""
        let ranks =
            report.parallel.map {
                ", \($0.ranks) processes sharing \($0.mode == "window" ? "each call" : "the samples")"
            } ?? ""
        var lines = [
            "\(report.model): \(report.count.counted("sample")) of \(steps.counted("step")) in \(report.wall_seconds.formatted(digits: 1)) s\(part)\(ranks)"
        ]
        if speculation.draft == .none {
            lines.append("  NFE          \(nfe.mean.formatted(digits: 1)) a sample, plain sampling")
        } else {
            lines += [
                "  NFE          \(nfe.mean.formatted(digits: 1)) a sample (\(nfe.min) to \(nfe.max)), \(steps) by plain sampling: "
                    + "\((Double(steps) / nfe.mean).formatted(digits: 1)) times fewer",
                "  evaluations  \(evaluations.mean.formatted(digits: 1)) a sample (\(evaluations.min) to \(evaluations.max))",
                "  acceptance   \((100 * report.acceptance).formatted(digits: 1)) %, draft \(speculation.draft.name), window \(speculation.window.name)",
            ]
            if report.plain_steps > 0 {
                let part = 100 * Double(report.plain_steps) / Double(report.count * steps)
                lines.append(
                    "  plain steps  \(part.formatted(digits: 0)) % of all, where no draft was worth its rows")
            }
        }
        if report.extra_draws > 0 {
            let draws = Double(report.extra_draws) / Double(report.count)
            lines.append("  extra draws  \(draws.formatted(digits: 1)) from the target a sample")
        }
        lines.append(
            "  exact        "
                + (report.exact ? "yes: the law of plain sampling" : "no: rule \(speculation.rule.name)"))
        let first = shown < report.count ? " (the first \(shown))" : ""
        let files = [request.grid.map { $0 + first }, request.animation, request.folder, request.tensors].compactMap {
            $0
        }
        if !files.isEmpty { lines.append("  wrote        \(files.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }
}
