import Foundation
import Testing

extension CommandLineTests {
    /// Where results go: a link's target is written and keeps its mode; nothing but a regular file is ever replaced.
    @Suite("Places of results")
    struct OutputPlaceTests {
        private static let model = ["--model", "fashion-mnist-draft", "--steps", "4", "--count", "1", "--quiet"]

        /// Commands with their options of results.
        private static let commands: [(arguments: [String], outputs: [String])] = [
            (["sample"] + model, ["--out", "--report", "--tensors"]),
            (["compare"] + model, ["--out", "--report", "--tensors"]),
            (
                ["sweep", "--all-windows", "2,3", "--all-drafts", "frozen", "--all-churn", "0.5"] + model,
                ["--out", "--report", "--csv"]
            ),
            (["survival", "--start", "0", "--horizon", "4"] + model, ["--out", "--report"]),
            (
                ["record", "--model", "fashion-mnist-draft", "--steps", "4", "--rows", "8", "--quiet"],
                ["--examples", "--report"]
            ),
            (["langevin", "--steps", "20", "--chains", "2", "--quiet"], ["--out", "--report"]),
            (["mixture", "--steps", "10", "--count", "20", "--quiet"], ["--out", "--report"]),
            (["limit", "metaconverse", "--bsc", "0.1", "--length", "8", "--bits", "0.5"], ["--report"]),
        ]

        /// A file with something in it, its mode one that no program gives by itself, and a link to it.
        private static func link(_ name: String, in folder: URL) throws -> (link: String, file: String) {
            let (link, file) = ("\(folder.path)/\(name)", "\(folder.path)/kept-\(name)")
            try Data("old".utf8).write(to: URL(fileURLWithPath: file))
            try FileManager.default.setAttributes([.posixPermissions: 0o604], ofItemAtPath: file)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "kept-\(name)")
            return (link, file)
        }

        @Test(arguments: commands.indices) func linksStay(command: Int) throws {
            let (arguments, outputs) = Self.commands[command]
            try Program.inFolder { folder in
                let places = try outputs.map { (option: $0, place: try Self.link("x\($0)", in: folder)) }
                let outcome = try Program.run(
                    arguments + places.flatMap { [$0.option, $0.place.link] }, in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                for (option, place) in places {
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place.link)
                    #expect(target == "kept-x\(option)", "\(option)")
                    let attributes = try FileManager.default.attributesOfItem(atPath: place.file)
                    #expect(attributes[.posixPermissions] as? Int == 0o604, "\(option)")
                    #expect(try Data(contentsOf: URL(fileURLWithPath: place.file)) != Data("old".utf8), "\(option)")
                }
            }
        }

        @Test func devicesAreWrittenToAndNotReplaced() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["sample"] + Self.model + ["--out", "/dev/null", "--report", "/dev/stdout"], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
                #expect(report?["nfe"] != nil)
                var status = stat()
                #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
                #expect(lstat("/dev/stdout", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
                #expect(try Program.files(in: folder).isEmpty)
            }
        }

        @Test func whatCannotHoldResultsIsRefusedBeforeTheWork() throws {
            try Program.inFolder { folder in
                let fifo = folder.path + "/fifo"
                #expect(mkfifo(fifo, 0o600) == 0)
                try FileManager.default.createSymbolicLink(
                    atPath: folder.path + "/lost", withDestinationPath: "nowhere")
                try FileManager.default.createSymbolicLink(
                    atPath: folder.path + "/circle", withDestinationPath: "circle")
                let before = try Program.files(in: folder)
                for (arguments, reason) in [
                    (["--tensors", "fifo"], "device or pipe"), (["--tensors", "/dev/stdout"], "device or pipe"),
                    (["--out", "lost"], "leads nowhere"), (["--report", "circle"], "circle"),
                    (["--out", "x.jpg"], "PNG"), (["--out", "."], "folder"),
                    (["--report", "/proc/1/fd/1"], "name a file"), (["--report", "/dev/fd/77"], "not open"),
                    (["--out", "same", "--report", "./same"], "two would go"),
                ] {
                    let outcome = try Program.run(["sample"] + Self.model + arguments, in: folder)
                    #expect(outcome.status != 0 && outcome.errors.contains(reason), "\(arguments): \(outcome.errors)")
                    #expect(outcome.output.isEmpty)
                }
                #expect(try Program.files(in: folder) == before)
            }
        }
    }
}
