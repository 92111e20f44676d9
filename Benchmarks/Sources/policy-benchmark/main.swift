// Serves timings of a policy to peers/compare_policies.py, one line of stdin at a time:
//
//   policy-benchmark FOLDER [--steps 100] [--threads 2]
//
//   call R                         a network call of R rows → milliseconds, processor milliseconds
//   plan SEED none                 one plan by plain sampling → milliseconds, processor milliseconds, NFE, rows of every call
//   plan SEED WINDOW               by speculation with the recycled draft
//   replay R,R,…                   calls of so many rows one after the other, as a plan of another model made them
//
// The observation of a plan is drawn from the seed, uniformly between the extremes of the training data.
import Couplings
import Diffusion
import Foundation
import NeuralNetwork
import Models

LinearAlgebra.restartWithBestCore()

struct Failure: Error, CustomStringConvertible { let description: String }

/// A chain that notes how many rows each of its calls had.
final class CountedChain: GaussianChain, @unchecked Sendable {
    private let base: DenoisingChain
    /// Written by the one thread that plans.
    private(set) var calls: [Int] = []

    init(_ base: DenoisingChain) { self.base = base }

    var stepCount: Int { base.stepCount }
    var dimension: Int { base.dimension }
    var predictionBounds: ClosedRange<Double>? { base.predictionBounds }
    func transition(at step: Int) -> GaussianTransition { base.transition(at: step) }

    func predictions(for queries: [ChainQuery]) throws -> [[Double]] {
        calls.append(queries.count)
        return try base.predictions(for: queries)
    }
}

/// By the clock and of the processors: the second does not count what other programs take.
func milliseconds(_ body: () throws -> Void) rethrows -> (clock: Double, processor: Double) {
    func processor() -> Double {
        var usage = rusage()
        getrusage(Int32(0), &usage)  // RUSAGE_SELF
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3
    }
    let before = processor()
    let duration = try ContinuousClock().measure(body)
    let clock = Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
    return (clock, processor() - before)
}

struct Server {
    let model: PolicyModel
    let steps: Int
    let threads: Int

    private func chain(seed: UInt64) throws -> DenoisingChain {
        var stream = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        let observation = (0..<model.observationSteps).flatMap { _ in
            model.statistics.observationRanges.map {
                $0.lowerBound + stream.uniform() * ($0.upperBound - $0.lowerBound)
            }
        }
        return try model.chain(observations: [observation], steps: steps, threads: threads)
    }

    func answer(_ line: String) throws -> String {
        let words = line.split(separator: " ").map(String.init)
        switch words.first {
        case "call" where words.count == 2:
            guard let rows = Int(words[1]), rows > 0 else { break }
            return try replay([rows])
        case "replay" where words.count == 2:
            let rows = words[1].split(separator: ",").compactMap { Int($0) }
            guard !rows.isEmpty, rows.allSatisfy({ $0 > 0 }) else { break }
            return try replay(rows)
        case "plan" where words.count == 3:
            guard let seed = UInt64(words[1]), words[2] == "none" || Int(words[2]) != nil else { break }
            let chain = CountedChain(try chain(seed: seed))
            var sampler: any Sampler = SequentialSampler(chain: chain, random: RandomSource(seed: seed))
            if let window = Int(words[2]) {
                sampler = SpeculativeSampler(
                    chain: chain, draft: RecycledDraft(), window: FallbackWindow(try FixedWindow(window)),
                    random: RandomSource(seed: seed))
            }
            let time = try milliseconds { try sampler.run(samples: 0..<1, lanes: 1) { _ in } }
            return
                "\(time.clock) \(time.processor) \(chain.calls.count) \(chain.calls.map(String.init).joined(separator: ","))"
        default: break
        }
        throw Failure(description: "expected call R, replay R,R,… or plan SEED WINDOW|none, found \(line)")
    }

    private func replay(_ calls: [Int]) throws -> String {
        let chain = try chain(seed: 0)
        let state = RandomSource(seed: 0).increment(sample: 0, step: 0, dimension: chain.dimension)
        let time = try milliseconds {
            for (index, rows) in calls.enumerated() {
                // Rows of consecutive steps, as a window's are.
                _ = try chain.predictions(
                    for: (0..<rows).map { ChainQuery(sample: 0, step: (index + $0) % chain.stepCount, state: state) })
            }
        }
        return "\(time.clock) \(time.processor)"
    }
}

var arguments = Array(CommandLine.arguments.dropFirst())
@MainActor func option(_ name: String) -> Int? {
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
    let value = Int(arguments[index + 1])
    arguments.removeSubrange(index...index + 1)
    return value
}
let steps = option("--steps") ?? 100
let threads = option("--threads") ?? ProcessInfo.processInfo.activeProcessorCount
guard let folder = arguments.first else {
    FileHandle.standardError.write(Data("usage: policy-benchmark FOLDER [--steps 100] [--threads 2]\n".utf8))
    exit(64)
}
do {
    let server = Server(model: try PolicyModel(folder: folder), steps: steps, threads: threads)
    print("ready \(server.model.network.parameterCount) parameters, kernels \(LinearAlgebra.kernelName)")
    fflush(nil)
    while let line = readLine() {
        print(try server.answer(line))
        fflush(nil)
    }
} catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
}
