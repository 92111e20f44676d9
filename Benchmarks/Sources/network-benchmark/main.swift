// Times a network at several batch sizes, or serves single calls to a script that alternates it with other engines.
//
//   network-benchmark FOLDER [--batches 1,4,8,20] [--repeats 15] [--threads 2] [--size 32]
//   network-benchmark FOLDER --serve [--threads 2]    reads a batch size from each line of stdin, answers with milliseconds
import Foundation
import NeuralNetwork

LinearAlgebra.restartWithBestCore()

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
let serve = flag("--serve")
guard let folder = arguments.first else {
    FileHandle.standardError.write(Data("usage: network-benchmark FOLDER [--batches 1,4] [--repeats 15] [--threads 2] [--serve]\n".utf8))
    exit(64)
}

func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let duration = try clock.measure(body)
    return Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
}

func residentMegabytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
    return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) / 1024
}

do {
    var loaded: UNet2D?
    let loading = try milliseconds { loaded = try UNet2D(folder: folder) }
    guard let network = loaded else { exit(1) }
    let configuration = network.configuration
    let size = configuration.sampleSize ?? (32, 32)
    func input(_ batch: Int) -> [Float] {
        (0..<batch * configuration.inChannels * size.height * size.width).map { Float(($0 * 7919) % 2003) / 1000 - 1 }
    }
    func call(_ batch: Int, _ sample: [Float]) throws -> [Float] {
        var labels: [Int]?
        if case .table(let count) = configuration.classEmbedding { labels = (0..<batch).map { $0 % count } }
        return try network(
            sample: sample, batch: batch, height: size.height, width: size.width,
            timesteps: (0..<batch).map { Float($0 * 37 % 1000) }, classLabels: labels, threads: threads)
    }
    if serve {
        print("ready \(LinearAlgebra.coreName) \(LinearAlgebra.kernelName) load \(Int(loading)) ms")
        fflush(nil)
        while let line = readLine(), let batch = Int(line) {
            let sample = input(batch)
            let time = try milliseconds { _ = try call(batch, sample) }
            print(time)
            fflush(nil)
        }
        print("peak \(residentMegabytes()) MB")
        exit(0)
    }
    let operations = network.floatingPointOperations(height: size.height, width: size.width)
    print("\(network.parameterCount) parameters, \(Double(operations) / 1e9) GFLOP a row, loaded in \(Int(loading)) ms")
    print("OpenBLAS \(LinearAlgebra.coreName), kernels \(LinearAlgebra.kernelName), \(threads) threads")
    for batch in batches {
        let sample = input(batch)
        _ = try call(batch, sample)
        let times = try (0..<repeats).map { _ in try milliseconds { _ = try call(batch, sample) } }.sorted()
        let median = times[times.count / 2]
        let line = String(
            format: "batch %3d  median %8.2f ms  fastest %8.2f ms  %7.2f ms a row  %6.0f GFLOP/s", batch, median, times[0],
            median / Double(batch), Double(operations * batch) / median / 1e6)
        print(line)
    }
    print("peak memory \(residentMegabytes()) MB")
} catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
}
