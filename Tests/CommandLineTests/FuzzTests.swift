import Foundation
import Testing

extension CommandLineTests {
    /// The short form of the fuzzer; the long one is run by hand, see Tests/Fuzz.
    @Suite("Corrupted input")
    struct FuzzTests {
        @Test func neverATrapAHangOrMuchMemory() throws {
            let process = Process()
            process.executableURL = Program.url().deletingLastPathComponent().appendingPathComponent("fuzz")
            process.arguments = ["--inputs", "2000", "--seed", "2026"]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(text)")
            #expect(text.hasPrefix("2000 inputs"))
        }
    }
}
