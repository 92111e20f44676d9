import Foundation
import Models
import NeuralNetwork

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
                    "unfinished, \(manifest.tally.samples.count) of \(manifest.samples.count) samples; resume it by diffspec sample --shard \(manifest.shard) --resume"
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
