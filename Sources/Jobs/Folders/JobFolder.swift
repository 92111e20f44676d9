import Foundation
import Models
import NeuralNetwork
import Platform
import Reports

/// A job in a folder of samples: what of it is done, and the files that say so. One process at a time has it.
struct JobFolder {
    private(set) var manifest: Manifest
    var output: SampleOutput
    /// Samples that still have to be made, in order.
    let missing: [Int]
    private let folder: String
    private let path: String
    private let lock: FileLock
    private var nextSave = ContinuousClock.now

    /// Begins a job, or resumes one.
    /// - Parameters:
    ///   - request: whether it takes over what is there (a folder with nothing in it is begun), and what it writes.
    ///   - folder: of the samples.
    ///   - decoder: of a model of latents.
    ///   - monitor: told of what the user should know.
    /// - Throws: `ManifestError` if the folder holds another job, or an unfinished one that is not to be resumed;
    ///   `OutputError` if the raw samples are another shard's.
    init(
        _ job: JobDescription, _ request: SampleRequest, at folder: String, decoder: LatentDecoder?,
        monitor: any RunMonitor
    ) throws {
        let shard = request.shard
        try OutputError.prepare(folder: folder)
        // What a later process resumes must be where it looks for it, though a link may be changed.
        let tensors = try request.tensors.map { try OutputError.checkWritable(file: $0) }
        self.folder = folder
        let path = URL(fileURLWithPath: folder).appendingPathComponent(shard.manifestName).path
        self.path = path
        lock = try FileLock(path: "\(folder)/.\(shard.manifestName).lock", for: "this job")
        // Shards begin side by side; each finds the manifests of those before it.
        var beginning: FileLock? = try FileLock(path: "\(folder)/.begin.lock", for: "this folder", isAwaited: true)
        defer { withExtendedLifetime(beginning) {} }
        try Self.checkNeighbours(of: shard, job: job, folder: folder, tensors: tensors)
        var manifest = Manifest(
            job: job, shard: shard, tensors: tensors.map { RelativePath.path(to: $0, from: folder) },
            threads: request.threads,
            tally: SamplingTally(stepCount: job.recipe.chain.steps))
        var earlier: Manifest?
        if FileManager.default.fileExists(atPath: path) {
            let found = try Manifest(path: path)
            if request.resumes {
                try Self.check(found, goesOnAs: job, path: path)
                earlier = found
            } else if !found.isComplete, !found.tally.samples.isEmpty {
                throw ManifestError(
                    path: path,
                    reason:
                        "an unfinished job, \(found.tally.samples.count) of \(found.samples.count) samples; continue it with --resume, or remove the file to begin anew"
                )
            }
        }
        if let tensors, let earlier, !earlier.tally.samples.isEmpty,
            !FileManager.default.fileExists(atPath: "\(tensors).partial")
        {
            let format = job.format
            let isWhole =
                (try? SafetensorsFile(path: tensors))?.shape(of: "samples")
                == [manifest.samples.count, format.channels, format.height, format.width]
            if isWhole {
                // Complete, or ended between its last steps: its samples are kept, and those that are lost are made again.
                guard rename(tensors, "\(tensors).partial") == 0 else {
                    throw OutputError(path: tensors, reason: String(cString: strerror(errno)))
                }
            } else if let name = earlier.tensors, name != manifest.tensors {
                throw ManifestError(
                    path: path,
                    reason:
                        "the job was begun with --tensors \(RelativePath.resolve(name, from: folder)); resume with that, or move it to \(tensors) first"
                )
            }
        }
        output = try SampleOutput(
            format: job.format, samples: manifest.samples, keepsGrid: request.keepsGrid, folder: folder,
            tensors: tensors,
            isResumable: true, decoder: decoder, threads: request.threads)
        var kept: Set<Int> = []
        if let earlier {
            // Its manifest is there, and going through its samples takes long.
            beginning = nil
            for (sample, entry) in earlier.tally.samples where try output.keep(sample, fingerprint: entry.fingerprint) {
                kept.insert(sample)
            }
            let damaged = earlier.tally.samples.count - kept.count
            if damaged > 0 {
                monitor.warn("\(damaged) samples are not what they were when they were written, and are made again")
            }
            manifest.tally = earlier.tally
            manifest.arithmetic = earlier.arithmetic
            if !earlier.arithmetic.contains(Manifest.ownArithmetic) {
                monitor.warn(
                    "the samples so far were computed with other kernels (\(earlier.arithmetic.joined(separator: "; "))) than this machine's (\(Manifest.ownArithmetic)): the same law, other last digits"
                )
                manifest.arithmetic.append(Manifest.ownArithmetic)
            }
        }
        missing = manifest.samples.filter { !kept.contains($0) }
        self.manifest = manifest
        try save()
    }

    /// The pictures of all shards share the folder: it holds one job, and no file of raw samples is anybody else's.
    private static func checkNeighbours(of shard: Shard, job: JobDescription, folder: String, tensors: String?) throws {
        let own = tensors.map { RelativePath.path(to: $0, from: folder) }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        where name.hasPrefix("manifest") && name.hasSuffix(".json") && name != shard.manifestName {
            let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
            let neighbour = try Manifest(path: path)
            if let difference = try job.difference(from: neighbour.job) {
                throw ManifestError(
                    path: path,
                    reason:
                        "the folder holds samples of another job: \(difference.key) is \(difference.there) there, \(difference.here) here; name another folder"
                )
            }
            if let own, neighbour.tensors == own, let tensors {
                throw OutputError(
                    path: tensors, reason: "shard \(neighbour.shard) has its samples there; name a file for each shard")
            }
        }
    }

    private static func check(_ found: Manifest, goesOnAs job: JobDescription, path: String) throws {
        guard let difference = try job.difference(from: found.job) else { return }
        throw ManifestError(
            path: path,
            reason:
                "the job was begun with another \(difference.key): \(difference.there) there, \(difference.here) here; resume with the same options, or name another folder"
        )
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
