import Foundation
import NeuralNetwork
import Testing

extension CommandLineTests {
    /// A LeRobot policy served to robots: observations by name, over stdin and over a socket.
    @Suite("diffspec policy of LeRobot's folders")
    struct PolicyServerTests {
        static let policy = Program.repository.appendingPathComponent("Tests/ModelsTests/Fixtures/lerobot/state-only")
        static let options = ["policy", "--model", policy.path, "--steps", "20", "--window", "5", "--threads", "1"]
        static let state = "\"observation.state\": [[0.1, 0.48, 1, -1], [0.2, 0.48, 1.1, -0.9]]"
        static let environment = "\"observation.environment_state\": [[1, 0, -1], [1, 0.1, -1]]"
        static let observation = "{\(state), \(environment)}"

        static func answers(_ lines: [String], _ options: [String] = options) throws -> [JSON] {
            try Program.inFolder { try PolicyCommandTests.answers(lines, options, in: $0) }
        }

        @Test func aChunkOfActionsIsAnswered() throws {
            let answer = try Self.answers(["{\"observation\": \(Self.observation), \"seed\": 3}"])[0]
            let actions = try #require(answer["actions"]?.array)
            #expect(actions.count == 8 && actions.allSatisfy { $0.array?.count == 2 })
            let parts = try ["encoding_milliseconds", "planning_milliseconds"].map {
                try #require(answer[$0]?.double)
            }
            let whole = try #require(answer["milliseconds"]?.double)
            #expect(abs(parts[0] + parts[1] - whole) < 0.01)
        }

        @Test func aBatchPlansWhatSinglesPlan() throws {
            let other = Self.observation.replacingOccurrences(of: "0.1,", with: "0.7,")
            let found = try Self.answers([
                "{\"observation\": [\(Self.observation), \(other)], \"seed\": [3, 4]}",
                "{\"observation\": \(Self.observation), \"seed\": 3}", "{\"observation\": \(other), \"seed\": 4}",
            ])
            #expect(found[0]["actions"] == .array(try found[1...].map { try #require($0["actions"]) }))
        }

        static let badLines = [
            "{\"observation\": [[1, 2, 3, 4], [1, 2, 3, 4]]}", "{\"observation\": {\(state)}}", "{\"observation\": {}}",
            "{\"observation\": {\(state), \(environment), \"x\": 1}}", "{\"observation\": [1]}",
            "{\"observation\": {\(state), \"observation.environment_state\": [[1, 0, -1]]}}",
            "{\"observation\": {\(state), \"observation.environment_state\": [[1, 0], [1, 0]]}}",
            "{\"observation\": {\(state), \"observation.environment_state\": \"front.png\"}}",
            "{\"observation\": \(observation), \"session\": [1]}",
            "{\"observation\": \(observation), \"session\": 1, \"executed\": 17}",
            "{\"observation\": [\(observation), \(observation)], \"session\": 1}",
            "{\"observation\": [\(observation)], \"session\": [1, 2]}",
        ]

        @Test func badObservationsAreAnswered() throws {
            let found = try Self.answers(Self.badLines.map { $0 })
            try #require(found.count == Self.badLines.count)
            for answer in found { #expect(answer["error"]?.string?.isEmpty == false && answer["actions"] == nil) }
        }

        /// The first plan of a session is that of none; the second, which starts from it, needs fewer calls, and follows
        /// from the session's requests alone.
        @Test func aSessionSavesCalls() throws {
            let plain = "{\"observation\": \(Self.observation), \"seed\": 4}"
            let first = "{\"observation\": \(Self.observation), \"seed\": 3, \"session\": \"a\"}"
            let second = "{\"observation\": \(Self.observation), \"seed\": 4, \"session\": \"a\", \"executed\": 0}"
            let found = try Self.answers([plain, first, second])
            let again = try Self.answers([first, "{\"observation\": 0}", second])
            #expect(found[1]["actions"] == again[0]["actions"] && found[2]["actions"] == again[2]["actions"])
            let calls = try found.map { try #require($0["nfe"]?.int) }
            #expect(calls[2] < calls[0])
        }

        /// DDIM has no noise to couple, which is said at the start; plain sampling is offered and works.
        @Test func ddimIsSampledPlainly() throws {
            try Program.inFolder { folder in
                let ddim = Self.options + ["--chain", "ddim"]
                let refused = try Program.run(ddim, in: folder)
                #expect(refused.status == 64 && refused.errors.contains("--draft none"))
                let line = "{\"observation\": \(Self.observation), \"seed\": 3}"
                let found = try PolicyCommandTests.answers([line, line], ddim + ["--draft", "none"], in: folder)
                #expect(found[0]["nfe"] == .integer(20) && found[0]["actions"] == found[1]["actions"])
            }
        }

        // MARK: Sockets

        /// Sends lines over a Unix socket, and reads as many answers.
        static func exchange(_ lines: [String], over path: String) throws -> [JSON] {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            let size = socklen_t(MemoryLayout<sockaddr_un>.size)
            let isConnected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) } == 0
            }
            try #require(isConnected)
            let handle = FileHandle(fileDescriptor: descriptor)
            try handle.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
            var text = Data()
            while text.count(where: { $0 == UInt8(ascii: "\n") }) < lines.count {
                let more = handle.availableData
                if more.isEmpty { break }
                text += more
            }
            return try text.split(separator: UInt8(ascii: "\n")).map { try JSON(parsing: $0) }
        }

        /// Eight clients at a time, bad lines among the good: every line is answered, each good one with the plan that it has
        /// alone; then a signal ends the server, and the socket is gone.
        @Test func clientsOfASocketAreServedSideBySide() throws {
            try Program.inFolder { folder in
                let path = folder.appendingPathComponent("s").path
                let process = Process()
                process.executableURL = Program.url()
                process.arguments = Self.options + ["--socket", path]
                let output = Pipe()
                process.standardOutput = output
                try process.run()
                defer { process.terminate() }
                #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).contains(path))

                let lines = (0..<16).map { number in
                    number % 4 == 3
                        ? "{\"observation\": \(number)}"
                        : "{\"observation\": \(Self.observation), \"seed\": \(number % 3), \"id\": \(number)}"
                }
                let alone = try Self.answers(Array(lines.prefix(3)))
                let answers = try withResults(of: 8) { _ in try Self.exchange(lines, over: path) }
                for answers in answers {
                    try #require(answers.count == lines.count)
                    for (number, answer) in answers.enumerated() {
                        if number % 4 == 3 {
                            #expect(answer["error"] != nil)
                        } else {
                            #expect(answer["id"] == .integer(number))
                            #expect(answer["actions"] == alone[number % 3]["actions"])
                        }
                    }
                }
                process.terminate()
                process.waitUntilExit()
                #expect(process.terminationStatus == 143 && !FileManager.default.fileExists(atPath: path))
            }
        }

        /// What a server that was killed has left behind is no hindrance; a file is.
        @Test func aSocketTakesNoFilesPlace() throws {
            try Program.inFolder { folder in
                try Data().write(to: folder.appendingPathComponent("s"))
                let outcome = try Program.run(Self.options + ["--socket", "s"], in: folder)
                #expect(outcome.status == 1 && outcome.errors.contains("there is a file of that name"))
            }
        }
    }
}

/// The results of `body` on as many threads, which run at the same time.
private func withResults<Result: Sendable>(of count: Int, _ body: @escaping @Sendable (Int) throws -> Result) throws
    -> [Result]
{
    let results = Locked<[Result]>([])
    let failures = Locked<[any Error]>([])
    DispatchQueue.concurrentPerform(iterations: count) { index in
        do {
            let result = try body(index)
            results.change { $0.append(result) }
        } catch { failures.change { $0.append(error) } }
    }
    if let failure = failures.value.first { throw failure }
    return results.value
}
