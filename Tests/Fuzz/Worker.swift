import ArgumentParser
import Commands
import Couplings
import Foundation

/// Where the worker tells the parent which input it is at: eight bytes that outlive it.
struct ProgressFile {
    private let place: UnsafeMutablePointer<Int>

    init(path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { try Data(count: 8).write(to: URL(fileURLWithPath: path)) }
        let descriptor = open(path, O_RDWR)
        guard descriptor >= 0, let map = mmap(nil, 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            map != MAP_FAILED
        else {
            throw Failure("\(path) cannot be mapped")
        }
        close(descriptor)
        place = map.bindMemory(to: Int.self, capacity: 1)
    }

    var input: Int {
        get { place.pointee }
        nonmutating set { place.pointee = newValue }
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Makes inputs and runs the commands on them, in a scratch folder that is its working folder.
struct Worker {
    private let seed: UInt64
    private let scenarios: [Scenario]
    /// What the commands may take beside twice the files: a million JSON values, a network's workspace.
    private static let memoryAllowance = 128 << 20

    init(seed: UInt64, scratch: String) throws {
        self.seed = seed
        guard chdir(scratch) == 0 else { throw Failure("\(scratch) is no folder") }
        var scenarios = try Scenarios.all()
        // The job that some scenarios resume.
        if let scenario = scenarios.first(where: { $0.name == "manifest" }) {
            // What an earlier worker left there would be another job.
            for name in ["job", "j.safetensors"] { try? FileManager.default.removeItem(atPath: name) }
            try Self.write(scenario.files)
            try Self.run(scenario.commands[0])
            var job: [String: [UInt8]] = [:]
            for name in ["job/manifest.json", "job/000000.png", "j.safetensors"] {
                job[name] = Array(try Data(contentsOf: URL(fileURLWithPath: name)))
            }
            // How long it took must not decide what is corrupted.
            let text = String(decoding: job["job/manifest.json"] ?? [], as: UTF8.self)
                .replacing(/"seconds":[0-9.e-]+/, with: "\"seconds\":1.5")
            job["job/manifest.json"] = Array(text.utf8)
            scenarios = scenarios.map { scenario in
                guard scenario.targets.keys.contains(where: { $0.hasPrefix("job/") }) else { return scenario }
                return Scenario(
                    name: scenario.name, files: scenario.files.merging(job) { $1 }, targets: scenario.targets,
                    commands: scenario.commands, standardInput: scenario.standardInput)
            }
        }
        self.scenarios = scenarios
    }

    struct Input {
        let scenario: String
        /// All the files that it has beside those that are sound.
        let files: [String: [UInt8]]
        let corrupted: [String]
        let arguments: [String]
        let isParsedOnly: Bool
        var standardInput: String?
    }

    func input(_ index: Int) -> Input {
        var mutator = Mutator(RandomSource(seed: seed).stream(sample: index, step: 0, purpose: .auxiliary))
        // The command lines are many scenarios; together they get a seventh.
        let lines = scenarios.filter(\.isCommandLine)
        let scenario = mutator.chance(0.15) ? mutator.pick(lines) : mutator.pick(scenarios.filter { !$0.isCommandLine })
        let command = mutator.pick(scenario.commands)
        if scenario.isCommandLine {
            return Input(
                scenario: scenario.name, files: [:], corrupted: [], arguments: mutator.mutateArguments(command),
                isParsedOnly: true)
        }
        let target = mutator.pick(scenario.targets.keys.sorted())
        var files = scenario.files
        if files["q.json"] != nil, mutator.chance(0.6) {
            // Sound files, most of which no person would write.
            let size = 1 + mutator.below(7)
            for name in ["p.json", "q.json"] { files[name] = mutator.distribution(of: size) }
            let rows = (0...mutator.below(3)).map { _ in String(decoding: mutator.distribution(of: size), as: UTF8.self)
            }
            files["c.json"] = Array("[\(rows.joined(separator: ", "))]".utf8)
            return Input(
                scenario: scenario.name, files: files, corrupted: ["p.json", "q.json", "c.json"], arguments: command,
                isParsedOnly: false)
        }
        let bytes = files[target] ?? []
        files[target] =
            switch scenario.targets[target] {
            case .text: mutator.mutateText(bytes)
            case .safetensors: mutator.mutateSafetensors(bytes)
            default: mutator.mutate(bytes)
            }
        return Input(
            scenario: scenario.name, files: files, corrupted: [target], arguments: command, isParsedOnly: false,
            standardInput: scenario.standardInput)
    }

    /// - Parameters:
    ///   - inputs: their numbers.
    ///   - progress: where the number of the input under way is noted.
    ///   - record: told of an input that took too much memory.
    func run(_ inputs: Range<Int>, progress: ProgressFile, record: (Int, String) -> Void) throws {
        var present: [String: [UInt8]] = [:]
        for index in inputs {
            progress.input = index
            let input = input(index)
            let isJob = input.files.keys.contains { $0.hasPrefix("job/") }
            for (path, bytes) in input.files where present[path] != bytes || isJob {
                try Self.write([path: bytes])
                present[path] = bytes
            }
            // A model has one description or the other.
            if input.scenario == "scheduler" {
                Self.remove("m/process.json", &present)
            } else {
                Self.remove("m/scheduler", &present)
            }
            if let file = input.standardInput {
                let descriptor = open(file, O_RDONLY)
                dup2(descriptor, 0)
                close(descriptor)
            }
            let before = Memory.resetPeak()
            do {
                if input.isParsedOnly {
                    _ = try DiffSpec.parseAsRoot(input.arguments)
                } else {
                    try Self.run(input.arguments)
                }
            } catch {
                // A description must be made without harm, too.
                _ = "\(error)"
                _ = DiffSpec.exitCode(for: error)
            }
            let size = input.files.values.reduce(0) { $0 + $1.count }
            let taken = Memory.peak - before
            if !Memory.isWatchedOver, taken > 2 * size + Self.memoryAllowance {
                record(index, "\(input.scenario): \(taken >> 20) MiB for files of \(size) bytes")
            }
        }
        progress.input = inputs.upperBound
    }

    private static func remove(_ path: String, _ present: inout [String: [UInt8]]) {
        guard present.keys.contains(where: { $0.hasPrefix(path) }) else { return }
        try? FileManager.default.removeItem(atPath: path)
        present = present.filter { !$0.key.hasPrefix(path) }
    }

    static func write(_ files: [String: [UInt8]]) throws {
        for (path, bytes) in files {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
    }

    private static func run(_ arguments: [String]) throws {
        var command = try DiffSpec.parseAsRoot(arguments)
        try command.run()
    }
}

/// What the kernel says of this process's memory.
enum Memory {
    /// Sanitizers reserve terabytes and keep what is freed.
    static var isWatchedOver: Bool {
        ["ASAN_OPTIONS", "TSAN_OPTIONS"].contains { ProcessInfo.processInfo.environment[$0] != nil }
    }

    /// Forgets the peak.
    /// - Returns: what is resident now, bytes.
    static func resetPeak() -> Int {
        if let file = fopen("/proc/self/clear_refs", "w") {
            fputs("5", file)
            fclose(file)
        }
        return value("VmRSS:")
    }

    static var peak: Int { value("VmHWM:") }

    private static func value(_ name: String) -> Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix(name) {
                return (Int(text.split(separator: " ").dropFirst(0).compactMap { Int($0) }.first ?? 0)) * 1024
            }
        }
        return 0
    }
}
