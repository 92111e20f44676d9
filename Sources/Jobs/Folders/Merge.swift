import Foundation
import Imaging
import Models
import NeuralNetwork
import Platform
import Reports
import Statistics

/// The shards of a job, checked and joined: with what a single process would have left, bit for bit.
public struct Merge: RunResult {
    public let report: Report
    let arithmetic: [String]
    let files: [String]

    public func encode(to encoder: any Encoder) throws { try report.encode(to: encoder) }

    /// - Parameters:
    ///   - folders: of shards, or their manifests.
    ///   - samples: folder for all the pictures, and the manifest of the whole job; nil for none.
    ///   - tensors: file for all the raw samples; nil for none.
    ///   - grid: picture of the first samples; nil for none.
    ///   - gridStyle: how it is laid out; its classes have no names here.
    ///   - monitor: is told how far the run is, and may end it.
    /// - Throws: `ManifestError` if a shard is missing, unfinished, damaged or of another job.
    public static func run(
        folders: [String], samples: String?, tensors: String?, grid: String?, gridStyle: GridStyle = GridStyle(),
        monitor: any RunMonitor = NoMonitor()
    ) throws -> Merge {
        try gridStyle.validate()
        let shards = try FinishedShard.all(in: folders)
        let job = shards[0].manifest.job
        if tensors != nil, !job.hasTensors {
            throw RecipeError("tensors", "cannot be written: the shards were made without raw samples.")
        }
        if samples != nil, tensors == nil, job.hasTensors {
            throw RecipeError(
                "samples",
                "needs --tensors: the shards have raw samples, which belong to the job's manifest; name a file for them."
            )
        }
        if let samples { try OutputError.prepare(folder: samples) }
        let writer = try tensors.map {
            try SafetensorsWriter(
                path: $0, tensors: [("samples", [job.count, job.format.channels, job.format.height, job.format.width])])
        }
        defer { writer?.cancel() }

        var tally = SamplingTally(stepCount: job.recipe.chain.steps)
        var pictures: [Image] = []
        monitor.begin("merging", total: Double(job.count))
        defer { monitor.end() }
        for shard in shards {
            tally.add(shard.manifest.tally)
            // They run side by side.
            tally.seconds = max(tally.seconds, shard.manifest.tally.seconds)
            for sample in shard.manifest.samples {
                try monitor.check()
                let (png, values) = try shard.contents(of: sample)
                if let samples {
                    let path = SampleOutput.path(of: sample, in: samples)
                    if !isSameFile(path, shard.picture(of: sample)) { try AtomicFile.write(png, to: path) }
                }
                try writer?.append(values)
                if grid != nil, sample < SampleOutput.largestGrid {
                    pictures.append(try job.format.picture(png: Data(png), path: shard.picture(of: sample)))
                }
                monitor.update(done: Double(sample + 1)) { _ in "\(sample + 1) of \(job.count) samples" }
            }
        }
        try writer?.finish()
        let threads = shards.map(\.manifest.threads).max() ?? 1
        let merged = Report(job.sampling, tally: tally, threads: threads, shards: shards.count)
        if let grid { try gridStyle.write(pictures, to: grid, of: job.recipe, merged) }
        let arithmetic = Set(shards.flatMap(\.manifest.arithmetic)).sorted()
        if let samples {
            var manifest = Manifest(
                job: job, shard: .whole, tensors: tensors.map { RelativePath.path(to: $0, from: samples) },
                threads: threads,
                tally: tally)
            (manifest.arithmetic, manifest.isComplete) = (arithmetic, true)
            try manifest.write(to: URL(fileURLWithPath: samples).appendingPathComponent(Shard.whole.manifestName).path)
        }
        return Merge(
            report: merged, arithmetic: arithmetic, files: [grid, samples, tensors].compactMap { $0 })
    }

    private static func isSameFile(_ one: String, _ other: String) -> Bool {
        var (a, b) = (stat(), stat())
        return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev
    }

    public var text: String {
        var lines = [
            "\(report.model): \(report.count.counted("sample")) of \(report.steps.counted("step")), all as written, in \((report.shards ?? 1).counted("shard"))",
            "  NFE          \(report.nfe.mean.formatted(digits: 1)) a sample (\(report.nfe.min) to \(report.nfe.max))",
            "  longest      \(report.wall_seconds.formatted(digits: 1)) s of work at a shard",
        ]
        if arithmetic.count > 1 {
            lines.append(
                "  kernels      of several kinds: \(arithmetic.joined(separator: "; ")). The law is the same, the last digits are not those of one machine"
            )
        }
        if !files.isEmpty { lines.append("  wrote        \(files.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }
}
