import Foundation
import Imaging
import Testing

extension CommandLineTests {
    /// The examples are to be read; that they also work, and say the truth, is tested.
    @Suite("Examples") struct ExampleTests {
        private func run(_ example: String, _ arguments: [String] = [], in folder: URL) throws -> String {
            let outcome = try Program.run(arguments, in: folder, program: example)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return outcome.output
        }

        /// Fifteen lines of library give the command line's very pictures.
        @Test func sampleAndSaveMakesTheCommandLinesPictures() throws {
            try Program.inFolder { folder in
                let own = folder.appendingPathComponent("library"), theirs = folder.appendingPathComponent("program")
                for each in [own, theirs] {
                    try FileManager.default.createDirectory(at: each, withIntermediateDirectories: true)
                }
                let output = try run("SampleAndSave", in: own)
                let outcome = try Program.run(["sample", "--quiet", "--report", "r.json"], in: theirs)
                #expect(outcome.status == 0)
                // The pixels: the program's file also says how it was made.
                let pictures = try [own, theirs].map { place in
                    let path = place.appendingPathComponent("samples.png").path
                    let data = try Data(contentsOf: URL(fileURLWithPath: path))
                    let (width, height, _) = try PNGText.read(png: data, path: path)
                    return try Image(png: data, width: width, height: height, channels: 1, path: path)
                }
                #expect(pictures[0].width > 4 * 28 && pictures[0].bytes.elementsEqual(pictures[1].bytes))
                #expect(pictures[0].width == pictures[1].width)
                #expect(output.split(separator: "\n").count == 16 && output.contains("Ankle boot"))
            }
        }

        /// A denoiser of one's own reaches its point in fewer calls than steps.
        @Test func ownDenoiserReachesItsPoint() throws {
            try Program.inFolder { folder in
                let lines = try run("OwnDenoiser", in: folder).split(separator: "\n")
                #expect(lines.count == 4)
                for line in lines {
                    let numbers = line.split { !"0123456789.-e".contains($0) }.compactMap { Double($0) }
                    // The sample's number, its two coordinates and its calls.
                    #expect(numbers.count == 4)
                    // The last step's noise, of deviation s, is left in: a hundredth or so.
                    #expect(abs(numbers[1] - 3) < 0.1 && abs(numbers[2] + 2) < 0.1 && numbers[3] < 40)
                }
            }
        }

        /// The library from C, in forty lines at most, compiled without a warning against the library beside the tests.
        @Test func theCInterfaceReachesItsPoint() throws {
            let source = Program.repository.appendingPathComponent("examples/c-interface/sample.c")
            #expect(try String(contentsOf: source, encoding: .utf8).split(separator: "\n").count <= 40)
            let library = Program.url("libdiffspecc").deletingLastPathComponent().path
            let headers = Program.repository.appendingPathComponent("Sources/CInterface").path
            try Program.inFolder { folder in
                let compiler = Process()
                compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                compiler.arguments = [
                    "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", headers, source.path, "-L", library,
                    "-ldiffspecc", "-lm", "-Wl,-rpath,\(library)", "-o", folder.path + "/sample",
                ]
                try compiler.run()
                compiler.waitUntilExit()
                try #require(compiler.terminationStatus == 0)
                let run = Process(), output = Pipe()
                run.executableURL = folder.appendingPathComponent("sample")
                run.standardOutput = output
                try run.run()
                run.waitUntilExit()
                #expect(run.terminationStatus == 0)
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                let lines = text.split(separator: "\n")
                try #require(lines.count == 5)
                for line in lines.dropLast() {
                    let numbers = line.split { !"0123456789.-e".contains($0) }.compactMap { Double($0) }
                    // The sample's number and its two coordinates; the last step's noise is left in.
                    try #require(numbers.count == 3, "\(line)")
                    #expect(abs(numbers[1] - 3) < 0.1 && abs(numbers[2] + 2) < 0.1, "\(line)")
                }
                let calls = try #require(lines[4].split(separator: " ").first.flatMap { Int($0) })
                #expect(calls < 40)
            }
        }
    }
}
