import ArgumentParser
import Foundation
import Imaging
import NeuralNetwork
import Models

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Check the shards of a job, and join them.",
        discussion: """
            Takes the folders that diffspec sample --samples --shard i/n filled. All shards must be there, whole, of one \
            job, and every sample must be what it was when it was written. Without further options that is all; with them, \
            the results are those that a single process would have left, bit for bit.

            Examples:
              diffspec merge images                                          # are all shards in this folder sound?
              diffspec merge shard-* --samples images --tensors all.safetensors --report all.json
            """)

    @Argument(help: .init("Folders of shards, or their manifests.", valueName: "folder"))
    var folders: [String]

    @Option(help: .init("Folder for all the pictures, and the manifest of the whole job.", valueName: "dir"))
    var samples: String?

    @Option(help: .init("File for all the raw samples.", valueName: "file"))
    var tensors: String?

    @Option(help: .init("File for the report of the whole job, JSON.", valueName: "file"))
    var report: String?

    @Option(help: .init("A picture of the first samples.", valueName: "grid.png"))
    var out: String?

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        Interruption.watch()
        try OutputError.checkWritable(files: [tensors, report, out])
        let shards = try FinishedShard.all(in: folders)
        let job = shards[0].manifest.job
        if tensors != nil, !job.hasTensors {
            throw ValidationError("--tensors: the shards were made without raw samples.")
        }
        if samples != nil, tensors == nil, job.hasTensors {
            throw ValidationError(
                "the shards have raw samples, which belong to the job's manifest; name a file for them by --tensors.")
        }
        if let samples { try OutputError.prepare(folder: samples) }
        let writer = try tensors.map {
            try SafetensorsWriter(
                path: $0, tensors: [("samples", [job.count, job.format.channels, job.format.height, job.format.width])])
        }
        defer { writer?.cancel() }

        var tally = SamplingTally(stepCount: job.sampling.steps)
        var pictures: [Image] = []
        var progress = Progress("merging", total: Double(job.count), isQuiet: quiet)
        defer { progress.finish() }
        for shard in shards {
            tally.add(shard.manifest.tally)
            // They run side by side.
            tally.seconds = max(tally.seconds, shard.manifest.tally.seconds)
            for sample in shard.manifest.samples {
                try Interruption.check()
                let (png, values) = try shard.contents(of: sample)
                if let samples {
                    let path = SampleOutput.path(of: sample, in: samples)
                    if !Self.isSameFile(path, shard.picture(of: sample)) { try AtomicFile.write(png, to: path) }
                }
                try writer?.append(values)
                if out != nil, sample < SampleOutput.largestGrid {
                    pictures.append(try job.format.picture(png: Data(png), path: shard.picture(of: sample)))
                }
                progress.update(done: Double(sample + 1)) { _ in "\(sample + 1) of \(job.count) samples" }
            }
        }
        progress.finish()
        try writer?.finish()
        if let out, let grid = Image.grid(pictures) { try AtomicFile.write(Array(grid.pngData()), to: out) }
        let threads = shards.map(\.manifest.threads).max() ?? 1
        let merged = Report(job.sampling, tally: tally, threads: threads, shards: shards.count)
        if let report { try merged.writeJSON(to: report) }
        let arithmetic = Set(shards.flatMap(\.manifest.arithmetic)).sorted()
        if let samples {
            var manifest = Manifest(
                job: job, shard: .whole, tensors: tensors.map { RelativePath.path(to: $0, from: samples) },
                threads: threads,
                tally: tally)
            (manifest.arithmetic, manifest.isComplete) = (arithmetic, true)
            try manifest.write(to: URL(fileURLWithPath: samples).appendingPathComponent(Shard.whole.manifestName).path)
        }
        if !quiet { print(summary(merged, arithmetic)) }
    }

    private static func isSameFile(_ one: String, _ other: String) -> Bool {
        var (a, b) = (stat(), stat())
        return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev
    }

    private func summary(_ report: Report, _ arithmetic: [String]) -> String {
        var lines = [
            "\(report.model): \(report.count) samples of \(report.steps) steps, all as they were written, in \(report.shards ?? 1) shards",
            "  NFE          \(report.nfe.mean.formatted(digits: 1)) a sample (\(report.nfe.min) to \(report.nfe.max))",
            "  longest      \(report.wall_seconds.formatted(digits: 1)) s of work at a shard",
        ]
        if arithmetic.count > 1 {
            lines.append(
                "  kernels      of several kinds: \(arithmetic.joined(separator: "; ")). The law is the same, the last digits are not those of one machine"
            )
        }
        let files = [out, samples, tensors, report.count > 0 ? self.report : nil].compactMap { $0 }
        if !files.isEmpty { lines.append("  wrote        \(files.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }
}

/// A shard whose process is through with it.
struct FinishedShard {
    let manifest: Manifest
    private let path: String
    private let folder: String
    private let tensors: SafetensorsFile?

    /// The shards of one whole job, in order.
    /// - Throws: `ManifestError` if one is missing, unfinished, there twice, or of another job.
    static func all(in folders: [String]) throws -> [FinishedShard] {
        let shards = try folders.flatMap(manifests).map { try FinishedShard(manifest: $0) }
            .sorted { $0.manifest.samples.lowerBound < $1.manifest.samples.lowerBound }
        guard let first = shards.first else {
            throw ManifestError(path: folders.joined(separator: ", "), reason: "no manifest of samples here")
        }
        for shard in shards {
            if let difference = try first.manifest.job.difference(from: shard.manifest.job) {
                throw ManifestError(
                    path: shard.path,
                    reason:
                        "of another job than \(first.path): \(difference.key) is \(difference.there), and \(difference.here) there"
                )
            }
        }
        var next = 0
        for shard in shards {
            let samples = shard.manifest.samples
            guard samples.lowerBound == next else {
                throw ManifestError(
                    path: shard.path,
                    reason: samples.lowerBound > next
                        ? "shard \(shard.manifest.shard) begins at sample \(samples.lowerBound), and no shard given has those from \(next) on"
                        : "shard \(shard.manifest.shard) has samples that another one given has as well")
            }
            next = samples.upperBound
        }
        guard next == first.manifest.job.count else {
            throw ManifestError(
                path: first.path,
                reason: "the job has \(first.manifest.job.count) samples, and no shard given has those from \(next) on")
        }
        return shards
    }

    /// The manifests in a folder; of a merged job beside its shards, the shards' count.
    private static func manifests(_ place: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else {
            throw ManifestError(path: place, reason: "is neither a folder nor a manifest")
        }
        guard isFolder.boolValue else { return [place] }
        let names = try FileManager.default.contentsOfDirectory(atPath: place).sorted()
        let parts = names.filter { $0.hasPrefix("manifest-") && $0.hasSuffix(".json") }
        let all = parts.isEmpty ? names.filter { $0 == Shard.whole.manifestName } : parts
        return all.map { URL(fileURLWithPath: place).appendingPathComponent($0).path }
    }

    private init(manifest path: String) throws {
        let manifest = try Manifest(path: path)
        self.manifest = manifest
        self.path = path
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        self.folder = folder
        guard manifest.isComplete, manifest.tally.samples.count == manifest.samples.count else {
            throw ManifestError(
                path: path,
                reason:
                    "unfinished, \(manifest.tally.samples.count) of \(manifest.samples.count) samples; go on with it by diffspec sample --shard \(manifest.shard) --resume"
            )
        }
        let format = manifest.job.format
        tensors = try manifest.tensors.map { name in
            let file = try SafetensorsFile(path: RelativePath.resolve(name, from: folder))
            let shape = [manifest.samples.count, format.channels, format.height, format.width]
            guard file.shape(of: "samples") == shape, file.dtype(of: "samples") == .f32 else {
                throw ManifestError(path: file.path, reason: "expected a Float32 tensor \"samples\" of shape \(shape)")
            }
            return file
        }
        guard (manifest.tensors != nil) == manifest.job.hasTensors else {
            throw ManifestError(path: path, reason: "does not say where the raw samples are")
        }
    }

    func picture(of sample: Int) -> String { SampleOutput.path(of: sample, in: folder) }

    /// A sample's picture and raw values.
    /// - Throws: `ManifestError` if they are not what they were when they were written.
    func contents(of sample: Int) throws -> (png: [UInt8], values: [Float]) {
        let path = picture(of: sample)
        guard let png = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw ManifestError(path: path, reason: "cannot be read; make it again by --resume")
        }
        var fingerprint = Fingerprint()
        fingerprint.combine(png)
        let first = (sample - manifest.samples.lowerBound) * manifest.job.format.size
        let values = try tensors?.floats(named: "samples", elements: first..<first + manifest.job.format.size) ?? []
        if tensors != nil { fingerprint.combine(SampleOutput.bytes(of: values)) }
        guard fingerprint.value == manifest.tally.samples[sample]?.fingerprint else {
            throw ManifestError(
                path: path,
                reason:
                    "the sample is not what it was when it was written; make it again by diffspec sample --shard \(manifest.shard) --resume"
            )
        }
        return (Array(png), values)
    }
}
