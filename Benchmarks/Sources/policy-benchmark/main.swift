// Serves timings of a policy to peers/compare_policies.py, one line of stdin at a time:
//
//   policy-benchmark FOLDER [--steps 100] [--threads 2] [--precision f32]
//
//   call R                         a network call of R rows → milliseconds, processor milliseconds
//   plan SEED none                 one plan by plain sampling → milliseconds, processor milliseconds, NFE, rows of every call
//   plan SEED WINDOW               by speculation with the recycled draft
//   plan SEED 1:MS,R:MS,…          with the window that pays most where calls of so many rows take so many milliseconds
//   encode                         what the policy makes of one observation, its pictures → milliseconds, processor milliseconds
//   replay R,R,…                   calls of so many rows one after the other, as a plan of another model made them
//
// The observation of a plan is drawn from the seed, uniformly between the extremes of the training data.
import Couplings
import Diffusion
import Foundation
import Models
import NeuralNetwork

struct Failure: Error, CustomStringConvertible { let description: String }

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

    private func observation(seed: UInt64) -> PolicyObservation {
        var stream = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        func drawn(_ range: ClosedRange<Double>) -> Double {
            range.lowerBound + stream.uniform() * (range.upperBound - range.lowerBound)
        }
        var values: [String: PolicyObservation.Values] = [:]
        for feature in model.observer.features {
            let count = model.observer.steps * feature.count
            switch feature.kind {
            case .numbers(let size):
                values[feature.name] = .numbers((0..<count).map { drawn(feature.ranges[$0 % size]) })
            case .picture: values[feature.name] = .pictures((0..<count).map { _ in Float(stream.uniform()) })
            }
        }
        return PolicyObservation(values)
    }

    private func chain(seed: UInt64) throws -> DenoisingChain {
        try model.chain(
            ChainRecipe(kind: .ddpm, steps: steps), subjects: [observation(seed: seed)], threads: threads)
    }

    func answer(_ line: String) throws -> String {
        let words = line.split(separator: " ").map(String.init)
        switch words.first {
        case "call" where words.count == 2:
            guard let rows = Int(words[1]), rows > 0 else { break }
            return try replay([rows])
        case "encode" where words.count == 1:
            let observation = observation(seed: 0)
            let time = try milliseconds { _ = try model.observer.conditions([observation], threads: threads) }
            return "\(time.clock) \(time.processor)"
        case "replay" where words.count == 2:
            let rows = words[1].split(separator: ",").compactMap { Int($0) }
            guard !rows.isEmpty, rows.allSatisfy({ $0 > 0 }) else { break }
            return try replay(rows)
        case "plan" where words.count == 3:
            guard let seed = UInt64(words[1]) else { break }
            let chain = try chain(seed: seed)
            let denoiser = MeasuredDenoiser(chain.denoiser)
            let measured = chain.replacing(denoiser: denoiser)
            let random = RandomSource(seed: seed)
            let sampler: any Sampler<DenoisingChain> =
                words[2] == "none"
                ? SequentialSampler(chain: measured, random: random)
                : SpeculativeSampler(
                    chain: measured, draft: RecycledDraft(), window: FallbackWindow(try window(words[2])),
                    random: random)
            let time = try milliseconds { try sampler.run(samples: 0..<1, lanes: 1) { _ in } }
            let rows = denoiser.calls.map { "\($0.rows)" }
            return "\(time.clock) \(time.processor) \(rows.count) \(rows.joined(separator: ","))"
        default: break
        }
        throw Failure(description: "expected call R, encode, replay R,R,… or plan SEED WINDOW|none, found \(line)")
    }

    /// A fixed one, or the one that pays most.
    private func window(_ word: String) throws -> any WindowPolicy {
        if let length = Int(word) { return try FixedWindow(length) }
        let times = word.split(separator: ",").compactMap { pair -> (rows: Int, seconds: Double)? in
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let rows = Int(parts[0]), let time = Double(parts[1]) else { return nil }
            return (rows, time / 1e3)
        }
        return try AdaptiveWindow(cost: .measured(times), longest: 40)
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
@MainActor func option(_ name: String) -> String? {
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
    let value = arguments[index + 1]
    arguments.removeSubrange(index...index + 1)
    return value
}
let steps = option("--steps").flatMap { Int($0) } ?? 100
let precision = option("--precision").map { Precision(rawValue: $0) } ?? .f32
let threads = option("--threads").flatMap { Int($0) } ?? ProcessInfo.processInfo.activeProcessorCount
guard let folder = arguments.first, let precision else {
    FileHandle.standardError.write(
        Data("usage: policy-benchmark FOLDER [--steps 100] [--threads 2] [--precision f32|bf16]\n".utf8))
    exit(64)
}
do {
    let server = Server(model: try PolicyModel(named: folder, precision: precision), steps: steps, threads: threads)
    print("ready \(server.model.parameterCount) parameters, kernels \(Kernels.name)")
    fflush(nil)
    while let line = readLine() {
        print(try server.answer(line))
        fflush(nil)
    }
} catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
}
