// Times a network at several batch sizes, or serves single calls to a script that alternates it with other engines.
//
//   network-benchmark FOLDER [--batches 1,4,8,20] [--repeats 15] [--threads 2] [--precision f32]
//   network-benchmark FOLDER --profile [--batches 1,20]   a table of where the time goes, by kind of layer
//   network-benchmark FOLDER --error     how far the output of this precision is from that of f32, in deviations of the output
//   network-benchmark FOLDER --serve [--threads 2]    reads a batch size from each line of stdin, answers with milliseconds by the clock and of the processors
import Foundation
import NeuralNetwork

var arguments = Array(CommandLine.arguments.dropFirst())
@MainActor func option(_ name: String) -> String? {
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
    let value = arguments[index + 1]
    arguments.removeSubrange(index...index + 1)
    return value
}
@MainActor func flag(_ name: String) -> Bool {
    guard let index = arguments.firstIndex(of: name) else { return false }
    arguments.remove(at: index)
    return true
}

let batches = (option("--batches") ?? "1,4,8,20").split(separator: ",").compactMap { Int($0) }
let repeats = option("--repeats").flatMap { Int($0) } ?? 15
let threads = option("--threads").flatMap { Int($0) } ?? ProcessInfo.processInfo.activeProcessorCount
let precision = option("--precision").map { Precision(rawValue: $0) } ?? .f32
let showsError = flag("--error")
let serve = flag("--serve")
let profile = flag("--profile")
guard let folder = arguments.first, let precision else {
    FileHandle.standardError.write(
        Data(
            "usage: network-benchmark FOLDER [--batches 1,4] [--repeats 15] [--threads 2] [--precision f32|bf16] [--serve]\n"
                .utf8))
    exit(64)
}

func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let duration = try clock.measure(body)
    return Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
}

/// Processor time of all threads: unlike the clock, it does not count what other programs take.
func processorMilliseconds() -> Double {
    var usage = rusage()
    getrusage(Int32(0), &usage)  // RUSAGE_SELF
    let microseconds =
        (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
        + Int(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
    return Double(microseconds) / 1000
}

func residentMegabytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
    return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) / 1024
}

do {
    var loaded: Subject?
    let loading = try milliseconds { loaded = try Subject(folder: folder, threads: threads, precision: precision) }
    guard let network = loaded else { exit(1) }
    if showsError {
        let reference = try Subject(folder: folder, threads: threads, precision: .f32)
        for batch in batches {
            let (exact, found) = (try reference.call(batch), try network.call(batch))
            let mean = exact.reduce(0.0) { $0 + Double($1) } / Double(exact.count)
            let deviation = (exact.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(exact.count))
                .squareRoot()
            let errors = zip(exact, found).map { Double($1) - Double($0) }
            let rms = (errors.reduce(0.0) { $0 + $1 * $1 } / Double(exact.count)).squareRoot()
            print(
                String(
                    format: "batch %3d  root mean square %.2e  largest %.2e of the output's deviation", batch,
                    rms / deviation, (errors.map(abs).max() ?? 0) / deviation))
        }
        exit(0)
    }
    if profile {
        for batch in batches {
            // The fastest of some runs for every kind of layer.
            var best: [String: LayerTime] = [:]
            var order: [String] = []
            for _ in 0..<max(1, repeats) {
                let layers = try network.profile(batch)
                for layer in layers {
                    if let known = best[layer.layer] {
                        if layer.seconds < known.seconds { best[layer.layer] = layer }
                    } else {
                        best[layer.layer] = layer
                        order.append(layer.layer)
                    }
                }
            }
            let total = best.values.reduce(0) { $0 + $1.seconds }
            print(
                "\nBatch \(batch), threads: \(threads); \(String(format: "%.2f", total * 1e3 / Double(batch))) ms of processor time a row\n"
            )
            print("| layer | number | ms a row | share | GFLOP/s |\n|---|---|---|---|---|")
            for layer in order.compactMap({ best[$0] }).sorted(by: { $0.seconds > $1.seconds }) {
                let rate = layer.operations == 0 ? "" : String(format: "%.0f", layer.operations / layer.seconds / 1e9)
                print(
                    "| \(layer.layer) | \(layer.calls) | \(String(format: "%.3f", layer.seconds * 1e3 / Double(batch))) | "
                        + "\(String(format: "%.1f%%", 100 * layer.seconds / total)) | \(rate) |")
            }
        }
        exit(0)
    }
    if serve {
        print("ready \(Kernels.name) load \(Int(loading)) ms")
        fflush(nil)
        while let line = readLine(), let batch = Int(line) {
            let before = processorMilliseconds()
            let time = try milliseconds { _ = try network.call(batch) }
            print(time, processorMilliseconds() - before)
            fflush(nil)
        }
        print("peak \(residentMegabytes()) MB")
        exit(0)
    }
    let operations = network.operations
    print("\(network.parameterCount) parameters, \(Double(operations) / 1e9) GFLOP a row, loaded in \(Int(loading)) ms")
    print("kernels \(Kernels.name), \(threads) threads")
    for batch in batches {
        _ = try network.call(batch)
        var processor = Double.infinity
        let times = try (0..<repeats).map { _ in
            let before = processorMilliseconds()
            let time = try milliseconds { _ = try network.call(batch) }
            processor = min(processor, (processorMilliseconds() - before) / Double(batch))
            return time
        }.sorted()
        let median = times[times.count / 2]
        let line = String(
            format:
                "batch %3d  median %8.2f ms  fastest %8.2f ms  %7.2f ms a row  %6.0f GFLOP/s  processor %7.2f ms a row",
            batch, median,
            times[0], median / Double(batch), operations * Double(batch) / median / 1e6, processor)
        print(line)
    }
    print("peak memory \(residentMegabytes()) MB")
} catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
}
