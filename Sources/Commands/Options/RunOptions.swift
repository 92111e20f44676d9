import ArgumentParser
import Foundation

/// How the laboratory's commands run their chains, and where the report goes.
struct RunOptions: ParsableArguments {
    @Option(help: .init("Window L: how many states are drafted and scored per call.", valueName: "L"))
    var window = 20

    @Option(help: .init("Seed: each sample is a function of it and its own index.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(help: .init("Processor cores to use (default: all); changes no result.", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: .init("File for the report, JSON.", valueName: "file"))
    var report: String?

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        guard (1...1_000_000).contains(window) else {
            throw ValidationError("--window must be from 1 to 1000000, found \(window).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
    }
}
