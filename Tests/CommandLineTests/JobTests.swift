import Foundation
import Testing

extension CommandLineTests {
    /// Jobs in a folder of samples: in parts, killed, resumed, joined.
    @Suite("Jobs")
    struct JobTests {
        static let options = [
            "--model", "fashion-mnist-draft", "--steps", "6", "--window", "4", "--count", "22", "--threads", "1",
            "--quiet",
        ]

        static func files(_ name: String) -> [String] {
            ["--samples", name, "--tensors", "\(name).safetensors", "--report", "\(name).json", "--out", "\(name).png"]
        }

        /// All that a job left under a name. Of JSON what tells of the samples: calls and seconds tell of the work, and
        /// the names of files differ.
        static func results(_ name: String, in folder: URL) throws -> [String: Data] {
            var results: [String: Data] = [:]
            let inside = try Program.files(in: folder.appendingPathComponent(name))
            for path in inside.map({ "\(name)/\($0)" }) + ["\(name).safetensors", "\(name).json", "\(name).png"] {
                var data = try Data(contentsOf: folder.appendingPathComponent(path))
                if path.hasSuffix(".json"), var object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
                {
                    for key in ["calls", "seconds", "wall_seconds", "shards", "tensors"] { object[key] = nil }
                    data = try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
                }
                results[String(path.dropFirst(name.count))] = data
            }
            return results
        }

        private static func succeed(_ arguments: [String], in folder: URL) throws {
            let outcome = try Program.run(arguments, in: folder)
            try #require(outcome.status == 0, "\(outcome.errors)")
        }

        private static func job(_ name: String, _ more: [String] = []) -> [String] {
            ["sample"] + options + files(name) + more
        }

        @Test func partsJoinedAreTheWhole() throws {
            try Program.inFolder { folder in
                try Self.succeed(Self.job("whole"), in: folder)
                for part in 1...3 {
                    // Two parts in a folder of their own, one elsewhere.
                    try Self.succeed(
                        ["sample"] + Self.options + [
                            "--samples", part == 2 ? "other" : "parts", "--tensors", "\(part).safetensors", "--shard",
                            "\(part)/3", "--resume",
                        ], in: folder)
                }
                #expect(!FileManager.default.fileExists(atPath: folder.path + "/samples.png"))
                try Self.succeed(["merge", "parts", "other", "--quiet"] + Self.files("joined"), in: folder)
                #expect(try Self.results("joined", in: folder) == Self.results("whole", in: folder))

                let missing = try Program.run(["merge", "parts"], in: folder)
                #expect(missing.status == 1 && missing.errors.contains("no shard given has those from 7 on"))
                let double = try Program.run(["merge", "parts", "other", "other"], in: folder)
                #expect(double.status == 1 && double.errors.contains("another one given"))
                try Data([0]).write(to: folder.appendingPathComponent("other/000008.png"))
                let damaged = try Program.run(["merge", "parts", "other"], in: folder)
                #expect(damaged.status == 1 && damaged.errors.contains("not what it was"))
            }
        }

        @Test func aKilledJobEndsAsIfItHadNotBeen() throws {
            try Program.inFolder { folder in
                try Self.succeed(Self.job("whole"), in: folder)
                var kills = 0
                // Kills as soon as there are one, two, … pictures more than before.
                for wanted in 1...4 {
                    let before = try Self.pictures(in: folder, "killed")
                    let outcome = try Program.run(Self.job("killed", ["--resume"]), in: folder, endedBy: SIGKILL) {
                        (try? Self.pictures(in: folder, "killed")).map { $0 >= before + wanted } ?? false
                    }
                    kills += outcome.status == SIGKILL ? 1 : 0
                }
                #expect(kills > 0)
                try Self.succeed(Self.job("killed", ["--resume"]), in: folder)
                #expect(try Self.results("killed", in: folder) == Self.results("whole", in: folder))
                // Once more changes nothing; a picture that was lost is made again.
                try FileManager.default.removeItem(at: folder.appendingPathComponent("killed/000004.png"))
                let repaired = try Program.run(Self.job("killed", ["--resume"]).filter { $0 != "--quiet" }, in: folder)
                #expect(repaired.errors.contains("1 samples are not what they were"))
                #expect(try Self.results("killed", in: folder) == Self.results("whole", in: folder))
            }
        }

        /// A folder is one job's, whatever its parts; and a file of raw samples one part's.
        @Test func foldersAreNotShared() throws {
            try Program.inFolder { folder in
                func part(_ number: Int, _ tensors: String, _ more: [String] = []) -> [String] {
                    ["sample"] + Self.options + [
                        "--samples", "job", "--tensors", tensors, "--shard", "\(number)/2", "--resume",
                    ] + more
                }
                try Self.succeed(part(1, "1.safetensors"), in: folder)
                let picture = folder.appendingPathComponent("job/000000.png")
                let before = try Data(contentsOf: picture)
                for (arguments, reason) in [
                    (Self.job("job", ["--seed", "7"]), "another job"),
                    (part(2, "2.safetensors", ["--seed", "7"]), "another job"),
                    (part(2, "1.safetensors"), "shard 1/2 has its samples there"),
                    (part(1, "other.safetensors"), "was begun with --tensors"),
                ] {
                    let outcome = try Program.run(arguments, in: folder)
                    #expect(outcome.status == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
                    #expect(try Data(contentsOf: picture) == before)
                }
                // Moved elsewhere with a link in its place, the raw samples are found by either name.
                let (place, moved) = (folder.path + "/1.safetensors", folder.path + "/moved.safetensors")
                try FileManager.default.moveItem(atPath: place, toPath: moved)
                try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: moved)
                try Self.succeed(part(1, "1.safetensors"), in: folder)
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place) == moved)
                let named = try Program.run(part(1, "moved.safetensors").filter { $0 != "--quiet" }, in: folder)
                #expect(named.status == 0 && named.errors.isEmpty, "\(named.errors)")
                try Self.succeed(part(2, "2.safetensors"), in: folder)
                // By way of a link to the folder too.
                try FileManager.default.createSymbolicLink(atPath: folder.path + "/deep", withDestinationPath: "job")
                try Self.succeed(["merge", "deep", "--quiet"], in: folder)
            }
        }

        /// The file of a rule is as much of a job as its network.
        @Test func aJobKeepsToItsRule() throws {
            try Program.inFolder { folder in
                func writeProjection(_ value: Float) throws {
                    let header = #"{"projection":{"dtype":"F32","shape":[1,784],"data_offsets":[0,3136]}}"#
                    var data =
                        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
                    for _ in 0..<784 { withUnsafeBytes(of: value) { data.append(contentsOf: $0) } }
                    try data.write(to: folder.appendingPathComponent("rule.safetensors"))
                }
                try writeProjection(1)
                let job = Self.job("job", ["--rule", "projection:rule.safetensors", "--resume"])
                try Self.succeed(job, in: folder)
                try Self.succeed(job, in: folder)
                try writeProjection(2)
                let other = try Program.run(job, in: folder)
                #expect(other.status == 1 && other.errors.contains("another rule_weights"), "\(other.errors)")
            }
        }

        /// Numbers whose sum over shards would not be a number any more are refused.
        @Test func manifestsOfAbsurdCountsAreRefused() throws {
            try Program.inFolder { folder in
                try Self.succeed(Self.job("job"), in: folder)
                let manifest = folder.appendingPathComponent("job/manifest.json")
                let text = try String(contentsOf: manifest, encoding: .utf8)
                let corrupted = text.replacing(/"calls":\d+/, with: "\"calls\":1152921504606846976")
                #expect(corrupted != text)
                try corrupted.write(to: manifest, atomically: true, encoding: .utf8)
                let outcome = try Program.run(["merge", "job"], in: folder)
                #expect(outcome.status == 1 && outcome.errors.contains("no manifest"), "\(outcome.errors)")
            }
        }

        private static func pictures(in folder: URL, _ name: String) throws -> Int {
            let place = folder.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: place.path) else { return 0 }
            return try Program.files(in: place).count { $0.hasSuffix(".png") && !$0.hasPrefix(".") }
        }

        /// What belongs to another job, is unfinished or in use is not touched.
        @Test func whatIsThereIsRespected() throws {
            try Program.inFolder { folder in
                let stopped = try Program.run(Self.job("job", ["--count", "5000"]), in: folder, endedBy: SIGINT) {
                    (try? Self.pictures(in: folder, "job")).map { $0 > 0 } ?? false
                }
                #expect(stopped.status == 130 && stopped.errors.contains("--resume goes on from there"))
                #expect(stopped.errors.split(separator: "\n").count == 1)
                let manifest = folder.appendingPathComponent("job/manifest.json")
                let before = try Data(contentsOf: manifest)
                for (arguments, reason) in [
                    (Self.job("job", ["--count", "5000"]), "unfinished"),
                    (Self.job("job", ["--resume"]), "another count"),
                    (Self.job("job", ["--count", "5000", "--churn", "0.5", "--resume"]), "another churn"),
                    (Self.job("job", ["--count", "5000", "--model", "fashion-mnist", "--resume"]), "another weights"),
                    (["merge", "job"], "unfinished"),
                ] {
                    let outcome = try Program.run(arguments, in: folder)
                    #expect(outcome.status == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
                }
                #expect(try Data(contentsOf: manifest) == before)
                try Data("{}".utf8).write(to: manifest)
                let garbled = try Program.run(Self.job("job", ["--resume"]), in: folder)
                #expect(garbled.status == 1 && garbled.errors.contains("no manifest"))
            }
        }
    }
}
