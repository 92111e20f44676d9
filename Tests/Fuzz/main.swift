import ArgumentParser
import Foundation

struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Runs the commands on corrupted input.")

    @Option(help: "How many inputs.")
    var inputs = 2000
    @Option(help: "The first of them.")
    var first = 0
    @Option(help: "Seed.")
    var seed: UInt64 = 0
    @Option(help: "Write the files of one input, and print its command line.")
    var replay: Int?
    @Option(help: "Where to.")
    var into = "."
    @Option(help: .private)
    var scratch: String?

    func run() throws {
        if let replay { return try show(replay) }
        if let scratch { return try work(in: scratch) }
        try supervise()
    }

    private func show(_ index: Int) throws {
        let folder = URL(fileURLWithPath: into).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let input = try Worker(seed: seed, scratch: folder).input(index)
        try Worker.write(input.files)
        if input.scenario == "scheduler" { try? FileManager.default.removeItem(atPath: "m/process.json") }
        print("\(input.scenario), corrupted: \(input.corrupted.joined(separator: ", "))")
        print(
            "cd \(folder) && diffspec \(input.arguments.map { "'\($0)'" }.joined(separator: " "))\(input.standardInput.map { " < \($0)" } ?? "")\(input.isParsedOnly ? "   # parsed only" : "")"
        )
    }

    private func work(in scratch: String) throws {
        // Far above anything that a sound input takes; what a corrupted one asks for beyond it is a trap.
        var limit = rlimit(rlim_cur: 16 << 30, rlim_max: 16 << 30)
        if !Memory.isWatchedOver { setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) }
        let null = open("/dev/null", O_WRONLY)
        dup2(null, 1)
        let findings = fopen(scratch + "/../findings", "a")
        let worker = try Worker(seed: seed, scratch: scratch)
        try worker.run(first..<first + inputs, progress: ProgressFile(path: scratch + "/../progress")) { index, text in
            fputs("memory\t\(index)\t\(text)\n", findings)
            fflush(findings)
        }
    }

    /// Starts workers, each where the last one died, and tells how they died.
    private func supervise() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID())")
        let scratch = folder.appendingPathComponent("scratch")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let progress = try ProgressFile(path: folder.path + "/progress")
        let end = first + inputs
        var (next, deaths): (Int, [String]) = (first, [])
        while next < end {
            progress.input = next
            let death = try watch(from: next, to: end, scratch: scratch.path, progress: progress)
            guard let death else { break }
            let line = "\(death)\t\(progress.input)"
            deaths.append(line)
            print(line)
            fflush(nil)
            next = progress.input + 1
            if deaths.count >= 100 { break }
        }
        let excesses = ((try? String(contentsOfFile: folder.path + "/findings", encoding: .utf8)) ?? "").split(
            separator: "\n")
        for excess in excesses { print(excess) }
        print(
            "\(progress.input - first) inputs of seed \(seed): \(deaths.count) traps and hangs, \(excesses.count) times too much memory"
        )
        if !deaths.isEmpty || !excesses.isEmpty { throw ExitCode(1) }
    }

    /// - Returns: how the worker died; nil if it came to the end.
    private func watch(from: Int, to end: Int, scratch: String, progress: ProgressFile) throws -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            "--first", "\(from)", "--inputs", "\(end - from)", "--seed", "\(seed)", "--scratch", scratch,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging([
            "SWIFT_BACKTRACE": "enable=no"
        ]) { $1 }
        let errors = scratch + "/../errors"
        try Data().write(to: URL(fileURLWithPath: errors))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        try process.run()
        var (input, since, sinceProcessor) = (from, ContinuousClock.now, 0.0)
        while process.isRunning {
            usleep(50_000)
            let processor = Self.processorSeconds(of: process.processIdentifier)
            if progress.input != input { (input, since, sinceProcessor) = (progress.input, .now, processor) }
            // By the processor's clock, for the machine may have other work; by the wall's if it waits for something.
            if processor - sinceProcessor > 5 || ContinuousClock.now - since > .seconds(60) {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                return "hang"
            }
        }
        if process.terminationReason == .exit, process.terminationStatus == 0 { return nil }
        let said =
            ((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "").split(separator: "\n").last { !$0.isEmpty }
            ?? ""
        return
            "died of \(process.terminationReason == .exit ? "exit" : "signal") \(process.terminationStatus): \(said.prefix(200))"
    }

    private static func processorSeconds(of process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else {
            return 0
        }
        // Fields 14 and 15, in clock ticks of a hundredth of a second.
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) / 100
    }
}

Fuzz.main()
