import Foundation
import Testing

/// One after another: each run takes all the cores.
@Suite("The command line", .serialized)
struct CommandLineTests {}

/// The built program, run as a user runs it.
enum Program {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    /// Beside the test bundle.
    static func url(_ program: String = "diffspec") -> URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent(program)
    }

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// - Parameters:
    ///   - input: what stdin holds; nil for the test's own.
    ///   - isInterrupted: whether a SIGINT follows as soon as the program has made a file.
    static func run(
        _ arguments: [String], in folder: URL, input: Data? = nil, isInterrupted: Bool = false,
        environment: [String: String] = [:], program: String = "diffspec"
    ) throws -> Outcome {
        try run(
            arguments, in: folder, input: input, environment: environment, program: program,
            endedBy: isInterrupted ? SIGINT : nil
        ) {
            (try? files(in: folder).isEmpty) == false
        }
    }

    /// - Parameters:
    ///   - environment: beside what these tests have themselves.
    ///   - signal: sent as soon as `isTime` says so; nil for none.
    static func run(
        _ arguments: [String], in folder: URL, input: Data? = nil, environment: [String: String] = [:],
        program: String = "diffspec", endedBy signal: Int32?, when isTime: () -> Bool
    ) throws -> Outcome {
        try inFolder { logs in
            let process = Process()
            process.executableURL = url(program)
            process.arguments = arguments
            process.currentDirectoryURL = folder
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            let (output, errors) = (logs.appendingPathComponent("stdout"), logs.appendingPathComponent("stderr"))
            for file in [output, errors] { try Data().write(to: file) }
            if let input {
                let file = logs.appendingPathComponent("stdin")
                try input.write(to: file)
                process.standardInput = try FileHandle(forReadingFrom: file)
            }
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            try process.run()
            if let signal {
                while process.isRunning, !isTime() { Thread.sleep(forTimeInterval: 0.01) }
                if process.isRunning { kill(process.processIdentifier, signal) }
            }
            process.waitUntilExit()
            return Outcome(
                status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
                errors: try String(contentsOf: errors, encoding: .utf8))
        }
    }

    static func files(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    /// Runs the body in an empty folder that is gone afterwards.
    static func inFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
