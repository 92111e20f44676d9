import Foundation
import Testing

extension CommandLineTests {
    /// Whatever a user gives: one clear line, the right exit status, no trap, nothing half-written.
    @Suite("Bad input")
    struct BadInputTests {
        static let usage: [[String]] = [
            ["sample", "--steps", "0"], ["sample", "--window", "-1"], ["sample", "--temperature", "nan"],
            ["sample", "--temperature", "0"], ["sample", "--churn", "-0.5"], ["sample", "--churn", "inf"],
            ["sample", "--count", "0"], ["sample", "--guidance", "nan"], ["sample", "--class", "10"],
            ["sample", "--class", "-1"], ["sample", "--class", "Trousers"], ["sample", "--draft", "oracle"],
            ["sample", "--threads", "0"], ["sample", "--chain", "ddpm"], ["sample", "--seed", "-3"],
            ["sample", "--frobnicate"], ["sample", "--rule", "guess"], ["sample", "--rule", "temperature:0"],
            ["sample", "--window", "wide"], ["sample", "--draft", "picard:0"],
            ["sample", "--draft", "mixture:frozen=-1,recycled=1"],
            ["sample", "--chain", "ddpm", "--denoise-last-step"],
            ["plan", "--workers", "0"], ["mixture", "--figure", "f", "--out", "s.png"],
            ["calibrate", "x", "--count", "0"],
            ["compare", "--draft", "none"], ["sweep", "--all-churn", "0,x"], ["sweep", "--all-drafts", "none"],
            ["sweep", "--all-drafts", "oracle"], ["survival", "--start", "90", "--horizon", "20"],
            ["survival", "--particles", "0"],
            ["record", "--draft", "none"], ["record", "--rows", "0"], ["calibrate", "mixture", "--drafts", "recycled"],
            ["calibrate", "mixture", "--drafts", "recycled,none"], ["evaluate"], ["nonsense"],
            ["sample", "--resume"], ["sample", "--shard", "1/2"],
            ["sample", "--shard", "0/2", "--samples", "x"], ["sample", "--shard", "3/2", "--samples", "x"],
            ["sample", "--shard", "1/17", "--samples", "x"], ["sample", "--parallel", "window"], ["merge"],
            ["plan", "--ranks", "2"], ["plan", "--ranks", "2", "--latency", "1", "--bandwidth", "0"],
            ["plan", "--latency", "1", "--bandwidth", "1"], ["sample", "--out", "a.png", "--report", "./a.png"],
            ["couple", "--target", "q", "--draft", "p", "--rule", "kseq", "--drafts", "0"],
            ["couple", "--target", "q", "--draft", "p", "--rule", "low-communication", "--precision", "nan"],
            ["decode", "--text", "x", "--tokens=-1"], ["decode", "--text", "x", "--order", "0"],
            ["decode", "--text", "x", "--temperature", "0"], ["limit", "acceptance", "--distance", "nan"],
            ["limit", "metaconverse", "--bsc", "2"], ["limit", "metaconverse", "--bsc", "0.1", "--length", "0"],
            ["sample", "--negative-prompt", "x"], ["sample", "--prompt", "x"], ["tokenize"],
            ["sample", "--draft", "mixture:mixture:learnt=1"],
            ["calibrate", "mixture", "--drafts", "mixture:mixture:learnt=1,frozen"],
        ]

        @Test(arguments: usage)
        func usageErrors(arguments: [String]) throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(arguments, in: folder)
                #expect(outcome.status == 64, "\(outcome.errors)")
                #expect(outcome.errors.hasPrefix("Error: "))
                #expect(try Program.files(in: folder).isEmpty)
            }
        }

        /// An error that shows late sends to the command that was called.
        @Test func lateUsageErrorsNameTheWholeCommand() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(["calibrate", "mixture", "--class", "Trousers"], in: folder)
                #expect(
                    outcome.status == 64 && outcome.errors.contains("diffspec calibrate mixture --help"),
                    "\(outcome.errors)")
            }
        }

        static let failures: [[String]] = [
            ["sample", "--model", "no-such-model"], ["sample", "--churn", "1e200"],
            ["sample", "--times", "no-such-file"], ["plan", "--times", "."], ["survival", "--times", "no-such-file"],
            ["plan", "--times-out", "/nonexistent/t.json"],
            ["sample", "--out", "/nonexistent/x.png"],
            ["sample", "--out", "."], ["sample", "--out", "new/"],
            ["sample", "--report", String(repeating: "r", count: 240)], ["sample", "--tensors", "/dev/null"],
            ["sample", "--out", ""],
            ["calibrate", "no-such-model"], ["sweep", "--csv", "/nonexistent/s.csv"],
            ["record", "--out", "/nonexistent/r"],
            ["calibrate", "mixture", "--model", "no-such-model"],
            ["sample", "--draft", "corrected", "--draft-model", "fashion-mnist-draft"],
            ["sample", "--model", "fashion-mnist-draft", "--draft", "corrected"],
            ["survival", "--plot", "/nonexistent/p.png"],
            ["survival", "--draft", "picard:1"],
            ["survival", "--steps", "1000", "--horizon", "1000", "--particles", "1000000"],
            ["record", "--steps", "10000", "--window", "10000", "--batch", "4096"],
            ["sample", "--report", "/nonexistent/r.json"], ["inspect", "no-such-model"],
            ["merge", "no-such-folder"], ["merge", "."], ["sample", "--samples", "/dev/null"],
            ["evaluate", "--model", "fashion-mnist", "--input", "missing.safetensors", "--output", "o.safetensors"],
        ]

        @Test(arguments: failures)
        func runTimeErrors(arguments: [String]) throws {
            try Program.inFolder { folder in try Self.expectFailure(arguments, in: folder) }
        }

        /// A churn that makes the chain's own numbers grow is not blamed on the draft.
        @Test func whatHasGrownIsTheChainsFault() throws {
            try Program.inFolder { folder in
                let arguments = ["sample", "--model", "fashion-mnist-draft", "--churn", "1e9", "--count", "1"]
                try Self.expectFailure(arguments + ["--steps", "10"], in: folder, naming: "take a smaller churn")
            }
        }

        static func expectFailure(_ arguments: [String], in folder: URL, naming word: String = "error") throws {
            let before = try Program.files(in: folder)
            let outcome = try Program.run(arguments, in: folder)
            #expect(outcome.status == 1, "\(outcome.errors)")
            #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.contains(word))
            #expect(outcome.errors.split(separator: "\n").count == 1)
            #expect(try Program.files(in: folder) == before)
        }

        /// A copy of the small bundled model, corrupted in one place.
        @Test(arguments: [
            ("weights cut short", "diffusion_pytorch_model.safetensors"),
            ("weights empty", "diffusion_pytorch_model.safetensors"),
            ("header of terabytes", "diffusion_pytorch_model.safetensors"), ("NaN", "time_emb_proj"),
            ("other class", "_class_name"), ("config not JSON", "config.json"), ("no schedule", "process.json"),
            ("unknown schedule", "cosin"), ("image too large", "image size"), ("image not halvable", "29"),
            ("image beyond memory", "GB of memory"),
            ("too many classes", "classes"),
        ])
        func corruptedModels(flaw: String, named word: String) throws {
            try Program.inFolder { folder in
                let model = folder.appendingPathComponent("model")
                try FileManager.default.copyItem(
                    at: Program.repository.appendingPathComponent("weights/fashion-mnist-draft"), to: model)
                let weights = model.appendingPathComponent("diffusion_pytorch_model.safetensors")
                func edit(_ file: String, _ change: (String) -> String) throws {
                    let url = model.appendingPathComponent(file)
                    try change(String(contentsOf: url, encoding: .utf8)).write(
                        to: url, atomically: true, encoding: .utf8)
                }
                func replace(_ file: String, _ old: String, _ new: String) throws {
                    try edit(file) { $0.replacingOccurrences(of: old, with: new) }
                }
                var bytes = try Data(contentsOf: weights)
                switch flaw {
                case "weights cut short": try bytes.prefix(100_000).write(to: weights)
                case "weights empty": try Data().write(to: weights)
                case "header of terabytes": try (Data([0, 0, 0, 0, 0, 4, 0, 0]) + Data("{}".utf8)).write(to: weights)
                case "NaN":
                    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
                    try bytes.write(to: weights)
                case "other class": try replace("config.json", "UNet2DModel", "AutoencoderKL")
                case "config not JSON": try edit("config.json") { String($0.dropLast(5)) }
                case "no schedule": try FileManager.default.removeItem(at: model.appendingPathComponent("process.json"))
                case "unknown schedule": try replace("process.json", "\"cosine\"", "\"cosin\"")
                case "image too large": try replace("process.json", "\"height\": 28", "\"height\": 280000")
                case "image beyond memory":
                    for side in ["height", "width"] {
                        try replace("process.json", "\"\(side)\": 28", "\"\(side)\": 4096")
                    }
                case "image not halvable": try replace("process.json", "\"height\": 28", "\"height\": 29")
                default: try replace("process.json", "\"Bag\",", "\"Bag\", \"Hat\", \"Sock\", \"Tie\",")
                }
                try Self.expectFailure(
                    [
                        "sample", "--model", "model", "--steps", "30", "--window", "30", "--batch", "64", "--count",
                        "64",
                    ], in: folder, naming: word)
            }
        }

        @Test(arguments: ["{", "[[-1, 1]]", "[]", "[[1]]"])
        func corruptedMixturesAreNamed(weights: String) throws {
            try Program.inFolder { folder in
                let model = folder.appendingPathComponent("model")
                try FileManager.default.copyItem(
                    at: Program.repository.appendingPathComponent("weights/fashion-mnist-draft"), to: model)
                let text = """
                    {"drafts": ["recycled", "frozen"], "weights_by_progress": \(weights), "steps": 4, "window": 2, "churn": 1,
                    "rows": 1, "rejection": 0, "rejection_alone": [0, 0]}
                    """
                try Data(text.utf8).write(to: model.appendingPathComponent("draft-mixture.json"))
                try Self.expectFailure(
                    ["sample", "--model", "model", "--steps", "4", "--draft", "mixture:learnt"], in: folder,
                    naming: "model/draft-mixture.json")
            }
        }

        @Test func aDraftOfAnotherSizeIsRefused() throws {
            try Program.inFolder { folder in
                let model = folder.appendingPathComponent("model")
                try FileManager.default.copyItem(
                    at: Program.repository.appendingPathComponent("weights/fashion-mnist-draft"), to: model)
                let file = model.appendingPathComponent("process.json")
                try String(contentsOf: file, encoding: .utf8).replacingOccurrences(of: "28", with: "32")
                    .write(to: file, atomically: true, encoding: .utf8)
                try Self.expectFailure(
                    ["sample", "--draft", "independent", "--draft-model", "model"], in: folder, naming: "draft model")
            }
        }
    }
}
