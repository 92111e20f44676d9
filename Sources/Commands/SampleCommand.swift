import ArgumentParser
import Diffusion
import Processes
import Foundation
import Imaging
import Models

/// A command that several processes can carry out together.
protocol DistributedCommand: ParsableCommand {
    func run(in group: any ProcessGroup) throws
}

struct SampleCommand: DistributedCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Sample a model and write a PNG grid.",
        discussion: """
            Prints how many network calls (NFE) a sample took, against the K of plain sampling.

            With --samples the folder gets a manifest that says which samples are done. A job that was stopped or killed \
            goes on by the same command with --resume, and ends with the very samples that it would have had. By --shard a \
            job is shared out, to be joined by diffspec merge.

            Examples:
              diffspec sample --steps 100 --window 20
              diffspec sample --class Sneaker --class Bag --count 64 --out bags.png
              diffspec sample --draft frozen --report frozen.json     # the published method
              diffspec sample --model path/to/ddpm --chain ddpm --steps 1000 --window 100
              diffspec sample --count 50000 --samples images --shard 3/8 --resume
              mpirun -n 4 diffspec-mpi sample --parallel window --count 1
            """)

    @OptionGroup var options: SamplingOptions

    @Option(help: .init("The picture to write (default: samples.png; none with --shard).", valueName: "grid.png"))
    var out: String?

    @Option(help: .init("Make only part i of n of the samples, i from 1 to n; needs --samples.", valueName: "i/n"))
    var shard: Shard?

    @Flag(help: "Go on with the job in the --samples folder, if one was begun there.")
    var resume = false

    @Option(
        help:
            "With diffspec-mpi, what the processes share out: the samples of a job, each process its own; or the rows of each call, for few samples soon (default: samples)."
    )
    var parallel: ParallelMode?

    func validate() throws {
        guard options.samples != nil || shard == nil && !resume else {
            throw ValidationError(
                "\(resume ? "--resume" : "--shard") needs --samples, the folder in which the job keeps its state.")
        }
        if let shard, shard.count > options.count {
            throw ValidationError("--shard \(shard): there are only \(options.count) samples to share out.")
        }
    }

    func run() throws { try run(in: SingleProcess()) }

    func run(in group: any ProcessGroup) throws {
        if parallel != nil, group is SingleProcess {
            throw ValidationError("--parallel needs several processes: mpirun -n R diffspec-mpi sample …")
        }
        Interruption.watch()
        if group.rank == 0 { try OutputError.checkWritable(files: [grid, options.report, options.tensors]) }

        let model = try options.model.load()
        let mode = parallel ?? .samples
        var denoiser: DistributedDenoiser?
        if mode == .window, group.size > 1 {
            denoiser = DistributedDenoiser(
                model.denoiser(threads: options.threads), group: group, capacity: options.largestCall(for: model))
            if group.rank > 0 {
                try denoiser?.serve()
                return
            }
        }
        let chain = try options.model.chain(over: model, threads: options.threads, denoiser: denoiser)
        let sampler = try options.sampler(over: chain, model: model)
        if mode == .samples, group.rank > 0 {
            try SampleShares.work(in: group, sampler: sampler, lanes: options.batch)
            return
        }
        let run = try sample(with: sampler, of: model, group: group, mode: mode, denoiser: denoiser)
        denoiser?.release()
        run.warnOfFallback()
    }

    /// All that process 0 does: whatever is written, it writes.
    private func sample(
        with sampler: any Sampler, of model: PretrainedModel, group: any ProcessGroup, mode: ParallelMode,
        denoiser: DistributedDenoiser?
    ) throws -> SamplingRun {
        let shard = shard ?? .whole
        let samples = shard.samples(of: options.count)
        let title = shard == .whole ? "sampling" : "shard \(shard)"
        let isShared = mode == .samples && group.size > 1

        let run: SamplingRun
        let pictures: [Image]
        if let folder = options.samples {
            var job = try SampleJob(
                JobDescription(options, model: model, isExact: sampler.isExact), shard: shard, folder: folder,
                tensors: options.tensors, threads: options.threads, keepsGrid: grid != nil, resuming: resume, warn: warn
            )
            let (own, others) =
                isShared ? SampleShares.handOut(job.missing, in: group) : (job.missing, NoOtherProcesses())
            do {
                run = try SamplingRun(
                    title, sampler: sampler, samples: own, options: options, earlier: job.manifest.tally, others: others
                ) {
                    try job.note($0)
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
            pictures = try job.output.pictures()
        } else {
            var output = try SampleOutput(
                format: SampleFormat(model), samples: samples, keepsGrid: grid != nil, folder: nil,
                tensors: options.tensors)
            defer { output.cancel() }
            let (own, others) =
                isShared ? SampleShares.handOut(Array(samples), in: group) : (Array(samples), NoOtherProcesses())
            run = try SamplingRun(title, sampler: sampler, samples: own, options: options, others: others) {
                try output.accept($0.state, sample: $0.sample)
            }
            try output.finish()
            pictures = try output.pictures()
        }
        if let grid, let picture = Image.grid(pictures) { try AtomicFile.write(Array(picture.pngData()), to: grid) }
        let parallel =
            group.size == 1
            ? nil
            : Report.Parallel(
                mode: mode.rawValue, ranks: group.size, call_seconds: denoiser?.times.seconds,
                computing_seconds: denoiser?.times.computing)
        let report = Report(
            options.description(isPlain: options.draft == .none, isExact: sampler.isExact), tally: run.tally,
            threads: options.threads, shard: shard == .whole ? nil : "\(shard)", parallel: parallel)
        if let file = options.report { try report.writeJSON(to: file) }
        if !options.quiet { print(summary(report, shown: pictures.count)) }
        return run
    }

    /// Where the grid goes.
    private var grid: String? { out ?? (shard == nil ? "samples.png" : nil) }

    private func warn(_ text: String) {
        if !options.quiet { FileHandle.standardError.write(Data("warning: \(text)\n".utf8)) }
    }

    private func summary(_ report: Report, shown: Int) -> String {
        let (nfe, evaluations, steps) = (report.nfe, report.evaluations, options.model.steps)
        let part = report.shard.map { ", shard \($0)" } ?? ""
        let ranks =
            report.parallel.map {
                ", \($0.ranks) processes sharing \($0.mode == "window" ? "each call" : "the samples")"
            } ?? ""
        var lines = [
            "\(options.model.model): \(report.count) samples of \(steps) steps in \(report.wall_seconds.formatted(digits: 1)) s\(part)\(ranks)"
        ]
        if options.draft == .none {
            lines.append("  NFE          \(nfe.mean.formatted(digits: 1)) a sample, plain sampling")
        } else {
            lines += [
                "  NFE          \(nfe.mean.formatted(digits: 1)) a sample (\(nfe.min) to \(nfe.max)), \(steps) by plain sampling: "
                    + "\((Double(steps) / nfe.mean).formatted(digits: 1)) times fewer",
                "  evaluations  \(evaluations.mean.formatted(digits: 1)) a sample (\(evaluations.min) to \(evaluations.max))",
                "  acceptance   \((100 * report.acceptance).formatted(digits: 1)) %, draft \(options.draft.name), window \(options.window.name)",
            ]
            if report.plain_steps > 0 {
                let part = 100 * Double(report.plain_steps) / Double(report.count * steps)
                lines.append("  plain steps  \(part.formatted(digits: 0)) % of all, where no draft was worth its rows")
            }
        }
        if report.extra_draws > 0 {
            lines.append(
                "  extra draws  \((Double(report.extra_draws) / Double(report.count)).formatted(digits: 1)) from the target a sample"
            )
        }
        lines.append(
            "  exact        "
                + (report.exact ? "yes: the law of plain sampling" : "no: rule \(options.effectiveRule.name)"))
        let first = shown < report.count ? " (the first \(shown))" : ""
        let files = [grid.map { $0 + first }, options.samples, options.tensors, options.report].compactMap { $0 }
        lines.append("  wrote        \(files.joined(separator: ", "))")
        return lines.joined(separator: "\n")
    }
}

extension Sampler {
    /// Whether its samples have the law of plain sampling.
    var isExact: Bool { (self as? SpeculativeSampler<DenoisingChain>)?.rule.isExact ?? true }
}
