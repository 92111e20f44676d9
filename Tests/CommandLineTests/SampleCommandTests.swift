import Foundation
import NeuralNetwork
import Testing

extension CommandLineTests {
    @Suite("diffspec sample and compare")
    struct SampleCommandTests {
        /// The cheapest run that still has everything: the small bundled network, few steps.
        static let quick = ["--model", "fashion-mnist-draft", "--steps", "12", "--window", "6"]

        static func json(_ url: URL) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        }

        /// The command that a picture names makes its very bytes again.
        @Test func aPictureSaysHowItWasMade() throws {
            try Program.inFolder { folder in
                func make(_ words: [String], _ file: String) throws -> [String: Any] {
                    let made = try Program.run(words + ["--quiet", "--out", file], in: folder)
                    #expect(made.status == 0, "\(made.errors)")
                    let inspected = try Program.run(["inspect", file, "--json"], in: folder)
                    let object = try JSONSerialization.jsonObject(with: Data(inspected.output.utf8)) as? [String: Any]
                    return try #require(object)
                }
                let first = try make(
                    [
                        "sample", "--model", "fashion-mnist-draft", "--steps", "8", "--class", "Bag", "--class",
                        "Ankle boot",
                        "--labels", "--count", "4", "--seed", "5", "--draft", "frozen", "--scale", "2", "--threads",
                        "1", "--precision", "bf16",
                    ], "a.png")
                let texts = try #require(first["texts"] as? [String: String])
                #expect(texts["seed"] == "5" && texts["exact"] == "true" && texts["draft"] == "frozen")
                let command = try #require(texts["command"])
                #expect(command.contains("--class 'Ankle boot'") && !command.contains("threads"))
                #expect(command.contains("--precision bf16"))
                let words = command.replacingOccurrences(of: "'Ankle boot'", with: "Ankle_boot").split(separator: " ")
                    .map { $0.replacingOccurrences(of: "_", with: " ") }
                _ = try make(Array(words.dropFirst()), "b.png")
                let files = try ["a.png", "b.png"].map { try Data(contentsOf: folder.appendingPathComponent($0)) }
                #expect(files[0] == files[1])
                let notOurs = try Program.run(["inspect", "nowhere.png"], in: folder)
                #expect(notOurs.status == 1 && notOurs.errors.contains("nowhere.png"))
            }
        }

        /// The animation has a frame for every call of plain sampling, and one before them.
        @Test func anAnimationShowsEveryCall() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    [
                        "sample", "--model", "fashion-mnist-draft", "--steps", "6", "--window", "3", "--count", "2",
                        "--animate", "how.png",
                    ], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                #expect(outcome.output.contains("how.png"))
                let file = try Data(contentsOf: folder.appendingPathComponent("how.png"))
                func count(_ type: String) -> Int {
                    var (found, rest) = (0, file[...])
                    while let range = rest.range(of: Data(type.utf8)) {
                        found += 1
                        rest = rest[range.upperBound...]
                    }
                    return found
                }
                #expect(count("fcTL") == 7 && count("acTL") == 1)
                let inspected = try Program.run(["inspect", "how.png"], in: folder)
                #expect(inspected.status == 0 && inspected.output.contains("fashion-mnist-draft"))
                let sharded = try Program.run(
                    ["sample", "--samples", "f", "--shard", "1/2", "--count", "4", "--animate", "a.png"], in: folder)
                #expect(sharded.status == 64 && sharded.errors.contains("--animate"))
            }
        }

        /// In bf16 the samples are the same in any batch and on any number of threads, also as tiles sum: what they are on
        /// processors that have them.
        @Test(arguments: ["portable-tiles", "avx512-tiles", nil])
        func halfPrecisionDoesNotDependOnTheBatch(kernels: String?) throws {
            try Program.inFolder { folder in
                for (batch, threads) in [("3", "2"), ("1", "1")] {
                    let outcome = try Program.run(
                        [
                            "sample", "--model", "fashion-mnist-draft", "--steps", "4", "--window", "3", "--count", "3",
                            "--precision", "bf16", "--batch", batch, "--threads", threads, "--tensors",
                            "\(batch).safetensors", "--quiet",
                        ], in: folder, environment: kernels.map { ["DIFFSPEC_KERNELS": $0] } ?? [:])
                    #expect(outcome.status == 0, "\(outcome.errors)")
                }
                let files = try ["1", "3"].map {
                    try Data(contentsOf: folder.appendingPathComponent("\($0).safetensors"))
                }
                #expect(files[0] == files[1])
            }
        }

        @Test func everyOutputAppears() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["sample"] + Self.quick + [
                        "--no-fallback",
                        "--count", "5", "--report", "r.json", "--samples", "pngs", "--tensors", "t.safetensors",
                        "--batch", "2",
                    ], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                #expect(outcome.output.contains("NFE") && outcome.errors.isEmpty)
                let files = try Program.files(in: folder)
                #expect(files == ["pngs", "r.json", "samples.png", "t.safetensors"])
                let pictures = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/pngs")
                #expect(pictures.count { $0.hasSuffix(".png") } == 5 && pictures.contains("manifest.json"))
                let tensors = try SafetensorsFile(path: folder.path + "/t.safetensors")
                #expect(tensors.shape(of: "samples") == [5, 1, 28, 28])

                let report = try Self.json(folder.appendingPathComponent("r.json"))
                let keys = [
                    "model", "steps", "window", "draft", "churn", "temperature", "exact", "seed", "count", "threads",
                    "calls",
                    "wall_seconds", "nfe", "evaluations", "acceptance", "per_sample", "by_step", "versions",
                ]
                for key in keys { #expect(report[key] != nil, "\(key)") }
                #expect(report["exact"] as? Bool == true)
                let samples = try #require(report["per_sample"] as? [[String: Int]])
                #expect(samples.count == 5)
                for sample in samples { #expect((sample["accepted"] ?? 0) + (sample["rejected"] ?? 0) == 12) }
                #expect((report["by_step"] as? [Any])?.count == 12)
            }
        }

        /// A sample is a function of seed and index: not of batch, threads, or how many there are.
        @Test func tensorsDoNotDependOnBatchOrThreads() throws {
            try Program.inFolder { folder in
                func samples(_ options: [String]) throws -> [Float] {
                    let outcome = try Program.run(
                        ["sample"] + Self.quick + ["--tensors", "t.safetensors", "--seed", "5"] + options, in: folder)
                    try #require(outcome.status == 0, "\(outcome.errors)")
                    return try SafetensorsFile(path: folder.path + "/t.safetensors").floats(named: "samples")
                }
                let reference = try samples(["--count", "7", "--batch", "7", "--threads", "2"])
                #expect(try samples(["--count", "7", "--batch", "3", "--threads", "1"]) == reference)
                #expect(try samples(["--count", "2", "--batch", "1"]) == Array(reference.prefix(2 * 784)))
                let plain = try samples(["--count", "4", "--draft", "none", "--batch", "4"])
                #expect(try samples(["--count", "1", "--draft", "none", "--threads", "1"]) == Array(plain.prefix(784)))
            }
        }

        /// Recycling needs far fewer calls than steps, the published draft fewer than plain sampling (the bounds
        /// are checked over more samples outside the tests).
        @Test func draftsSaveCalls() throws {
            try Program.inFolder { folder in
                func meanCalls(_ draft: String) throws -> Double {
                    let outcome = try Program.run(
                        [
                            "sample", "--model", "fashion-mnist-draft", "--count", "2", "--draft", draft, "--report",
                            "r.json",
                        ],
                        in: folder)
                    try #require(outcome.status == 0, "\(outcome.errors)")
                    let report = try Self.json(folder.appendingPathComponent("r.json"))
                    return try #require((report["nfe"] as? [String: Any])?["mean"] as? Double)
                }
                let (recycled, frozen) = (try meanCalls("recycled"), try meanCalls("frozen"))
                #expect(recycled <= 25)
                #expect((25...60).contains(frozen))
            }
        }

        @Test func compareTellsBothSides() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["compare"] + Self.quick + ["--count", "6", "--report", "r.json", "--out", "both.png"], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                #expect(outcome.output.contains("| NFE a sample | 12.0 |"))
                let report = try Self.json(folder.appendingPathComponent("r.json"))
                #expect((report["plain"] as? [String: Any])?["draft"] as? String == "none")
                #expect((report["speculative"] as? [String: Any])?["draft"] as? String == "recycled")
                #expect(((report["ratio"] as? [String: Double])?["nfe"] ?? 0) > 1)
                #expect((report["two_sample"] as? [String: Any])?["p_value"] as? Double != nil)
            }
        }

        @Test func aWarmTemperatureIsSaidToBeInexact() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["sample"] + Self.quick + ["--count", "1", "--temperature", "2", "--report", "r.json"], in: folder)
                #expect(outcome.output.contains("exact        no"))
                #expect(try Self.json(folder.appendingPathComponent("r.json"))["exact"] as? Bool == false)
            }
        }

        /// Ctrl-C in the middle: status 130, and neither a picture nor a temporary file.
        @Test func interruptionLeavesNothing() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["sample", "--count", "5000", "--tensors", "t.safetensors", "--report", "r.json"], in: folder,
                    isInterrupted: true)
                #expect(outcome.status == 130)
                #expect(outcome.errors.hasPrefix("error: "))
                let files = try Program.files(in: folder)
                #expect(files.isEmpty)
            }
        }
    }
}
