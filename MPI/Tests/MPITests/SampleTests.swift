import Foundation
import Testing

/// `mpirun -n R diffspec-mpi sample`, as a user runs it, against the same program as a single process.
@Suite("diffspec-mpi", .serialized)
struct SampleTests {
    private static let options = [
        "sample", "--model", "fashion-mnist-draft", "--steps", "6", "--window", "4", "--count", "9", "--threads", "1",
        "--quiet",
    ]

    private static func files(_ name: String) -> [String] {
        ["--samples", name, "--tensors", "\(name).safetensors", "--report", "\(name).json", "--out", "\(name).png"]
    }

    private static func json(_ path: String, in folder: URL) throws -> [String: Any] {
        let data = try Data(contentsOf: folder.appendingPathComponent(path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// Whatever is shared out, and among however many: every file has the bits that one process gives it.
    @Test(arguments: ["samples", "window"], [2, 3])
    func allModesHaveTheSameBits(mode: String, ranks: Int) throws {
        try Launch.inFolder { folder in
            let alone = try Launch.run(Self.options + Self.files("one"), ranks: nil, in: folder)
            try #require(alone.status == 0, "\(alone.errors)")
            let shared = try Launch.run(
                Self.options + Self.files("many") + ["--parallel", mode], ranks: ranks, in: folder)
            try #require(shared.status == 0, "\(shared.errors)")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/one").filter {
                $0.hasSuffix(".png")
            }
            #expect(names.count == 9)
            for (mine, theirs) in names.map({ ("one/\($0)", "many/\($0)") }) + [
                ("one.png", "many.png"), ("one.safetensors", "many.safetensors"),
            ] {
                #expect(
                    FileManager.default.contentsEqual(
                        atPath: folder.path + "/" + mine, andPath: folder.path + "/" + theirs), "\(theirs)")
            }
            let (one, many) = (try Self.json("one.json", in: folder), try Self.json("many.json", in: folder))
            for key in ["nfe", "evaluations", "acceptance", "per_sample", "by_step", "count", "exact"] {
                let (mine, theirs) = (try #require(one[key]), try #require(many[key]))
                let texts = try [mine, theirs].map {
                    try JSONSerialization.data(withJSONObject: [$0], options: .sortedKeys)
                }
                #expect(texts[0] == texts[1], "\(key)")
            }
            let parallel = try #require(many["parallel"] as? [String: Any])
            #expect(parallel["mode"] as? String == mode && parallel["ranks"] as? Int == ranks)
            #expect((parallel["call_seconds"] != nil) == (mode == "window"))
        }
    }

    /// A process that cannot continue ends all of them, with its message and a failure's status.
    @Test(arguments: ["samples", "window"])
    func oneFailureEndsAll(mode: String) throws {
        try Launch.inFolder { folder in
            let sound = Self.options + Self.files("job") + ["--count", "40", "--parallel", mode]
            let lost = sound.map { $0 == "fashion-mnist-draft" ? "no-such-model" : $0 }
            let outcome = try Launch.run(sound, ranks: 1, beside: lost, in: folder)
            #expect(outcome.status == 1, "\(outcome.errors)")
            #expect(outcome.errors.contains("error: process 1: no-such-model"))
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/job.safetensors"))
            // And what there was can be resumed, by however many.
            let options = Self.options.map { $0 == "9" ? "40" : $0 }
            let resumed = try Launch.run(
                options + Self.files("job") + ["--steps", "6", "--resume"], ranks: 3, in: folder)
            #expect(resumed.status == 0, "\(resumed.errors)")
            let report = try Self.json("job.json", in: folder)
            #expect(report["count"] as? Int == 40 && (report["per_sample"] as? [Any])?.count == 40)
        }
    }

    @Test func usageErrorsAreSaidOnce() throws {
        try Launch.inFolder { folder in
            let outcome = try Launch.run(["sample", "--steps", "0"], ranks: 2, in: folder)
            #expect(outcome.status == 64)
            #expect(outcome.errors.components(separatedBy: "--steps must be at least 1").count == 2)
            let alone = try Launch.run(["verify"], ranks: 2, in: folder)
            #expect(alone.status == 64 && alone.errors.contains("one process is enough"))
        }
    }
}

/// Starting programs by mpirun.
enum Launch {
    struct Outcome {
        let status: Int32
        let errors: String
    }

    /// Beside the test bundle.
    private static var program: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("diffspec-mpi").path
    }

    /// - Parameters:
    ///   - ranks: nil for the program by itself, without mpirun.
    ///   - other: the command line of one process more.
    static func run(_ arguments: [String], ranks: Int?, beside other: [String]? = nil, in folder: URL) throws -> Outcome
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let launcher = ranks.map { ["mpirun", "--oversubscribe", "-n", "\($0)"] } ?? []
        process.arguments = launcher + [program] + arguments + (other.map { [":", "-n", "1", program] + $0 } ?? [])
        // Containers run as root, which Open MPI wants to be told twice.
        process.environment = ProcessInfo.processInfo.environment.merging([
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        ]) { $1 }
        process.currentDirectoryURL = folder
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-mpi-\(UUID())")
        try Data().write(to: errors)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, errors: try String(contentsOf: errors, encoding: .utf8))
    }

    static func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-mpi-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }
}
