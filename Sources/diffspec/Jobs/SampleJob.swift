import Foundation
import NeuralNetwork
import Pretrained

/// A job in a folder of samples: what of it is done, and the files that say so. One process at a time has it.
struct SampleJob {
    private(set) var manifest: Manifest
    var output: SampleOutput
    /// Samples that still have to be made, in order.
    let missing: [Int]
    private let folder: String
    private let path: String
    private let lock: FileLock
    private var nextSave = ContinuousClock.now

    /// Begins a job, or goes on with one.
    /// - Parameters:
    ///   - resuming: takes over what is there; a folder with nothing in it is begun.
    ///   - warn: told of what the user should know.
    /// - Throws: `ManifestError` if the folder holds another job, or an unfinished one that is not to be resumed.
    init(
        _ job: JobDescription, shard: Shard, folder: String, tensors: String?, threads: Int, keepsGrid: Bool,
        resuming: Bool, warn: (String) -> Void
    ) throws {
        try OutputError.prepare(folder: folder)
        if let tensors { try OutputError.checkWritable(file: tensors) }
        self.folder = folder
        let path = URL(fileURLWithPath: folder).appendingPathComponent(shard.manifestName).path
        self.path = path
        lock = try FileLock(path: "\(folder)/.\(shard.manifestName).lock", for: "this job")
        var manifest = Manifest(
            job: job, shard: shard, tensors: tensors.map { RelativePath.path(to: $0, from: folder) }, threads: threads,
            tally: SamplingTally(stepCount: job.sampling.steps))
        var earlier: Manifest?
        if FileManager.default.fileExists(atPath: path) {
            let found = try Manifest(path: path)
            if resuming {
                try Self.check(found, goesOnAs: job, path: path)
                earlier = found
            } else if !found.isComplete, !found.tally.samples.isEmpty {
                throw ManifestError(
                    path: path,
                    reason: "an unfinished job, \(found.tally.samples.count) of \(found.samples.count) samples; go on with it by --resume, or remove the file to begin anew")
            }
        }
        if let tensors, earlier?.tally.samples.count == manifest.samples.count, !FileManager.default.fileExists(atPath: "\(tensors).partial") {
            // All samples were in it when the process ended between its last steps.
            rename(tensors, "\(tensors).partial")
        }
        output = try SampleOutput(
            format: job.format, samples: manifest.samples, keepsGrid: keepsGrid, folder: folder, tensors: tensors,
            isResumable: true)
        var kept: Set<Int> = []
        if let earlier {
            for (sample, entry) in earlier.tally.samples where try output.keep(sample, fingerprint: entry.fingerprint) {
                kept.insert(sample)
            }
            let damaged = earlier.tally.samples.count - kept.count
            if damaged > 0 { warn("\(damaged) samples are not what they were when they were written, and are made again") }
            manifest.tally = earlier.tally
            manifest.arithmetic = earlier.arithmetic
            if !earlier.arithmetic.contains(Manifest.ownArithmetic) {
                warn("the samples so far were computed with other kernels (\(earlier.arithmetic.joined(separator: "; "))) than this machine's (\(Manifest.ownArithmetic)): the same law, other last digits")
                manifest.arithmetic.append(Manifest.ownArithmetic)
            }
        }
        missing = manifest.samples.filter { !kept.contains($0) }
        self.manifest = manifest
        try save()
    }

    private static func check(_ found: Manifest, goesOnAs job: JobDescription, path: String) throws {
        guard let difference = try job.difference(from: found.job) else { return }
        throw ManifestError(
            path: path,
            reason: "the job was begun with another \(difference.key): \(difference.there) there, \(difference.here) here; go on with the same options, or name another folder")
    }

    /// Where the job stands, in words.
    var progress: String {
        "\(manifest.tally.samples.count) of \(manifest.samples.count) samples are in \(folder), and --resume goes on from there"
    }

    /// Notes where the job stands, unless that was done a moment ago: it may take a twentieth of the time.
    mutating func note(_ tally: SamplingTally) throws {
        manifest.tally = tally
        let start = ContinuousClock.now
        guard start >= nextSave else { return }
        try save()
        let took = ContinuousClock.now - start
        nextSave = start + max(.seconds(1), took * 20)
    }

    /// Notes where the job stands.
    func save() throws {
        try output.synchronise()
        try manifest.write(to: path)
    }

    /// Puts all files in their places.
    mutating func finish(_ tally: SamplingTally) throws {
        manifest.tally = tally
        try save()
        try output.finish()
        manifest.isComplete = true
        try manifest.write(to: path)
    }
}

/// Paths as seen from a folder, so that a folder can be moved with what it speaks of.
enum RelativePath {
    static func path(to file: String, from folder: String) -> String {
        let target = URL(fileURLWithPath: file).standardizedFileURL.pathComponents
        let base = URL(fileURLWithPath: folder).standardizedFileURL.pathComponents
        let shared = zip(target, base).prefix { $0 == $1 }.count
        return (base.dropFirst(shared).map { _ in ".." } + target.dropFirst(shared)).joined(separator: "/")
    }

    static func resolve(_ path: String, from folder: String) -> String {
        URL(fileURLWithPath: folder).appendingPathComponent(path).standardizedFileURL.path
    }
}
