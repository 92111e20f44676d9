import Foundation
import NeuralNetwork
import Testing

/// A model folder with its golden case: inputs and the output diffusers gave for them.
struct Fixture: Sendable, CustomStringConvertible {
    let folder: String
    var description: String { URL(fileURLWithPath: folder).lastPathComponent }

    /// Every fixture of this package; more may be named by the environment, folders separated by colons.
    static let all: [Fixture] = {
        guard let root = Bundle.module.resourceURL?.appendingPathComponent("Fixtures") else { return [] }
        var roots = [root]
        roots += (ProcessInfo.processInfo.environment["DIFFSPEC_EXTRA_FIXTURES"] ?? "").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)) }
        return roots.flatMap { root in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
            return names.sorted().map { root.appendingPathComponent($0) }
                .filter { FileManager.default.fileExists(atPath: $0.appendingPathComponent("case.safetensors").path) }
                .map { Fixture(folder: $0.path) }
        }
    }()

    static func named(_ name: String) throws -> Fixture {
        guard let fixture = all.first(where: { $0.description == name }) else { throw Missing(name: name) }
        return fixture
    }

    struct Missing: Error { let name: String }

    struct Case {
        var sample: [Float]
        var shape: [Int]
        var timesteps: [Float]
        var labels: [Int]?
        var classInputs: [Float]?
        var output: [Float]
        var batch: Int { shape[0] }
        var rowSize: Int { shape[1] * shape[2] * shape[3] }
    }

    func goldenCase() throws -> Case {
        let file = try SafetensorsFile(path: folder + "/case.safetensors")
        var labels: [Int]?
        var classInputs: [Float]?
        if let dtype = file.dtype(of: "class_labels") {
            if dtype == .i64 || dtype == .i32 {
                labels = try file.integers(named: "class_labels")
            } else {
                classInputs = try file.floats(named: "class_labels")
            }
        }
        return Case(
            sample: try file.floats(named: "sample"), shape: file.shape(of: "sample") ?? [],
            timesteps: try file.floats(named: "timestep"), labels: labels, classInputs: classInputs,
            output: try file.floats(named: "output"))
    }
}

extension UNet2D {
    /// The rows of a case at `indices`, in that order.
    func run(_ golden: Fixture.Case, rows indices: [Int], threads: Int) throws -> [Float] {
        let size = golden.rowSize
        let width = (golden.classInputs?.count ?? 0) / golden.batch
        return try self(
            sample: indices.flatMap { golden.sample[$0 * size..<($0 + 1) * size] }, batch: indices.count,
            height: golden.shape[2], width: golden.shape[3], timesteps: indices.map { golden.timesteps[$0] },
            classLabels: golden.labels.map { labels in indices.map { labels[$0] } },
            classInputs: golden.classInputs.map { values in indices.flatMap { values[$0 * width..<($0 + 1) * width] } },
            threads: threads)
    }
}

/// The largest difference, in standard deviations of `expected`.
func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
    guard found.count == expected.count, !found.isEmpty else { return .infinity }
    let mean = expected.reduce(0.0) { $0 + Double($1) } / Double(expected.count)
    let variance = expected.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(expected.count)
    let largest = zip(found, expected).reduce(0.0) { largest, pair in
        let difference = abs(Double(pair.0) - Double(pair.1))
        return difference.isNaN ? .infinity : max(largest, difference)
    }
    return largest / variance.squareRoot()
}

/// A folder that goes when the value does.
final class TemporaryFolder {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "/diffspec-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func write(_ data: Data, _ name: String) throws -> String {
        try data.write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }
}

/// Expects that a row's bits depend neither on the batch, nor on its place in it, nor on the threads.
/// - Parameters:
///   - rows: how many different rows there are.
///   - calls: how many rows each call has, some of them more than once, and its threads.
///   - run: the network's outputs, one behind the other, on the rows of these indices.
func expectBatchInvariance(
    _ rows: Int, calls: [(rows: Int, threads: Int)], run: (_ indices: [Int], _ threads: Int) throws -> [Float]
) throws {
    let alone = try (0..<rows).map { try run([$0], 1) }
    for call in calls {
        let indices = (0..<call.rows).map { ($0 * 3 + call.threads) % rows }
        let together = try run(indices, call.threads)
        #expect(
            together == indices.flatMap { alone[$0] }, "\(call.rows) rows on \(call.threads) threads")
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
