import Foundation
import Models
import NeuralNetwork
import Platform
import Reports

/// What a folder of samples is, and how far: written whole every now and then, so that a process that was killed is
/// continued where it was. Each sample has the fingerprint of what was written of it.
struct Manifest: Equatable {
    let job: JobDescription
    let shard: Shard
    /// The file of raw samples, as seen from the manifest's folder; nil if the job has none.
    let tensors: String?
    /// Kernels that samples were computed with. Others round otherwise: the same law, other last digits.
    var arithmetic: [String]
    /// Processor cores that the latest process used.
    let threads: Int
    var tally: SamplingTally
    /// Whether all files are in their places.
    var isComplete = false

    var samples: Range<Int> { shard.samples(of: job.count) }

    static var ownArithmetic: String { Kernels.name }

    /// - Throws: `ManifestError` if the file is no sound manifest.
    init(path: String) throws {
        func failure(_ reason: String) -> ManifestError { ManifestError(path: path, reason: reason) }
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw failure("cannot be read: \(error.localizedDescription)")
        }
        do { self = try JSONDecoder().decode(Manifest.self, from: data) } catch {
            throw failure("is no manifest of samples, or of another version of diffspec")
        }
        let known =
            (1...10_000_000).contains(job.count) && (1...1_000_000).contains(job.recipe.chain.steps)
            && (1...65_536).contains(job.format.channels) && (1...4096).contains(job.format.height)
            && (1...4096).contains(job.format.width) && job.format.black < job.format.white
            && (1...1_000_000).contains(shard.count) && (1...shard.count).contains(shard.number)
        guard known else { throw failure("says what cannot be: a number is out of range") }
        guard tally.steps.count == job.recipe.chain.steps, tally.samples.keys.allSatisfy(samples.contains) else {
            throw failure("says what cannot be: it speaks of other samples or steps than its job has")
        }
    }

    init(job: JobDescription, shard: Shard, tensors: String?, threads: Int, tally: SamplingTally) {
        self.job = job
        self.shard = shard
        self.tensors = tensors
        self.threads = threads
        self.tally = tally
        arithmetic = [Self.ownArithmetic]
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(Array(encoder.encode(self)) + [UInt8(ascii: "\n")], to: path, isDurable: true)
    }
}

/// A manifest that cannot be used, or resumed.
struct ManifestError: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "\(path): \(reason)" }
}

extension Manifest: Codable {
    private enum CodingKeys: String, CodingKey {
        case job, shard, tensors, arithmetic, threads, complete, calls, seconds, samples, steps
    }

    /// Numbers by columns, which are a fraction of the size of rows with names.
    private struct Samples: Codable {
        var sample: [Int] = [], nfe: [Int] = [], windows: [Int] = [], evaluations: [Int] = [], accepted: [Int] = [],
            rejected: [Int] = []
        var plain_steps: [Int] = [], extra_draws: [Int] = []
        var fingerprint: [String] = []
    }

    private struct Steps: Codable {
        var drafted: [Int] = [], accepted: [Int] = [], predicted_acceptance: [Int] = []
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        job = try values.decode(JobDescription.self, forKey: .job)
        shard = try values.decode(Shard.self, forKey: .shard)
        tensors = try values.decodeIfPresent(String.self, forKey: .tensors)
        arithmetic = try values.decode([String].self, forKey: .arithmetic)
        threads = try values.decode(Int.self, forKey: .threads)
        isComplete = try values.decode(Bool.self, forKey: .complete)
        let (samples, steps) = (
            try values.decode(Samples.self, forKey: .samples), try values.decode(Steps.self, forKey: .steps)
        )
        let (calls, seconds) = (
            try values.decode(Int.self, forKey: .calls), try values.decode(Double.self, forKey: .seconds)
        )

        func unsound(_ key: CodingKeys) -> DecodingError {
            .dataCorruptedError(
                forKey: key, in: values, debugDescription: "columns of different lengths, or numbers out of range")
        }
        let columns = [
            samples.nfe, samples.windows, samples.evaluations, samples.accepted, samples.rejected, samples.plain_steps,
            samples.extra_draws,
        ]
        let fingerprints = samples.fingerprint.compactMap { UInt64($0, radix: 16) }
        // Sums of ten million samples, or of a million shards, must not overflow.
        let (small, large) = (0...1 << 36, 0...1 << 42)
        guard columns.allSatisfy({ $0.count == samples.sample.count && $0.allSatisfy(small.contains) }),
            fingerprints.count == samples.sample.count, samples.fingerprint.count == samples.sample.count
        else { throw unsound(.samples) }
        // A sample decides a step once.
        guard steps.accepted.count == steps.drafted.count, steps.predicted_acceptance.count == steps.drafted.count,
            zip(steps.drafted, steps.accepted).allSatisfy({ $0 <= samples.sample.count && 0 <= $1 && $1 <= $0 }),
            zip(steps.drafted, steps.predicted_acceptance).allSatisfy({ SamplingTally.canPredict($1, of: $0) })
        else { throw unsound(.steps) }
        guard large.contains(calls), seconds >= 0, seconds.isFinite else { throw unsound(.calls) }

        var bySample: [Int: SamplingTally.Sample] = [:]
        for (i, sample) in samples.sample.enumerated() {
            bySample[sample] = .init(
                cost: .init(
                    calls: samples.nfe[i], windows: samples.windows[i], evaluations: samples.evaluations[i],
                    accepted: samples.accepted[i],
                    rejected: samples.rejected[i], plainSteps: samples.plain_steps[i],
                    extraDraws: samples.extra_draws[i]),
                fingerprint: fingerprints[i])
        }
        guard bySample.count == samples.sample.count else { throw unsound(.samples) }
        tally = SamplingTally(
            samples: bySample,
            steps: steps.drafted.indices.map {
                .init(
                    drafted: steps.drafted[$0], accepted: steps.accepted[$0],
                    predictedAcceptance: steps.predicted_acceptance[$0])
            }, calls: calls, seconds: seconds)
    }

    func encode(to encoder: any Encoder) throws {
        var columns = Samples()
        for (sample, entry) in tally.samples.sorted(by: { $0.key < $1.key }) {
            columns.sample.append(sample)
            columns.nfe.append(entry.cost.calls)
            columns.windows.append(entry.cost.windows)
            columns.evaluations.append(entry.cost.evaluations)
            columns.accepted.append(entry.cost.accepted)
            columns.rejected.append(entry.cost.rejected)
            columns.plain_steps.append(entry.cost.plainSteps)
            columns.extra_draws.append(entry.cost.extraDraws)
            columns.fingerprint.append(Fingerprint.text(of: entry.fingerprint))
        }
        let steps = Steps(
            drafted: tally.steps.map(\.drafted), accepted: tally.steps.map(\.accepted),
            predicted_acceptance: tally.steps.map(\.predictedAcceptance))
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(job, forKey: .job)
        try values.encode(shard, forKey: .shard)
        try values.encodeIfPresent(tensors, forKey: .tensors)
        try values.encode(arithmetic, forKey: .arithmetic)
        try values.encode(threads, forKey: .threads)
        try values.encode(isComplete, forKey: .complete)
        try values.encode(tally.calls, forKey: .calls)
        try values.encode(tally.seconds, forKey: .seconds)
        try values.encode(columns, forKey: .samples)
        try values.encode(steps, forKey: .steps)
    }
}
