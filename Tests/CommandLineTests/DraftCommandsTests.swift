import Foundation
import NeuralNetwork
import Testing

extension CommandLineTests {
    /// The small bundled model as the target, so that it is quick.
    @Suite("diffspec sweep, survival, record and calibrate mixture")
    struct DraftCommandsTests {
        static let model = ["--model", "fashion-mnist-draft", "--steps", "20"]

        @Test func sweepFillsItsGrid() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["sweep"] + Self.model + [
                        "--all-churn", "0.25,1", "--all-temperatures", "1,2", "--all-drafts",
                        "frozen,mixture:frozen=1,recycled=1",
                    ], in: folder)
                #expect(outcome.status == 64, "a comma in a mixture parts the list")
                let right = try Program.run(
                    ["sweep"] + Self.model + [
                        "--all-churn", "0.25,1", "--all-temperatures", "1,2", "--all-drafts", "frozen,recycled",
                        "--count", "4",
                        "--csv", "s.csv", "--report", "s.json", "--plot", "s.png", "--quiet",
                    ], in: folder)
                try #require(right.status == 0, "\(right.errors)")
                let lines = try String(contentsOf: folder.appendingPathComponent("s.csv"), encoding: .utf8)
                    .split(separator: "\n").map { $0.split(separator: ",") }
                #expect(lines.count == 9 && lines.allSatisfy { $0.count == 14 })
                let report = try SampleCommandTests.json(folder.appendingPathComponent("s.json"))
                let cells = try #require(report["cells"] as? [[String: Any]])
                func nfe(_ draft: String) -> Double {
                    cells.filter { $0["draft"] as? String == draft }.reduce(0) { $0 + ($1["nfe"] as? Double ?? 0) }
                }
                #expect(nfe("recycled") < nfe("frozen"))
                #expect(cells.allSatisfy { ($0["exact"] as? Bool) == (($0["temperature"] as? Double) == 1) })
                #expect(try Program.files(in: folder) == ["s.csv", "s.json", "s.png"])
            }
        }

        /// Without --all-churn: those of the paper's Table 1, or what --churn asks for.
        @Test(arguments: [([String](), 4), (["--churn", "0.7"], 1)])
        func sweepHasChurnsOfItsOwn(options: [String], churns: Int) throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["sweep"] + Self.model + options + [
                        "--all-temperatures", "1", "--all-drafts", "recycled", "--count", "1", "--json",
                    ], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let report = try #require(
                    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
                #expect((report["cells"] as? [Any])?.count == churns)
            }
        }

        @Test func survivalFallsFromOne() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["survival"] + Self.model + [
                        "--start", "5", "--horizon", "4", "--particles", "16", "--json", "--plot", "p.png",
                    ],
                    in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
                for key in ["filtered", "observed"] {
                    let law = try #require(json[key] as? [Double])
                    #expect(law.count == 5 && law[0] == 1 && zip(law, law.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
                }
                #expect(try Program.files(in: folder) == ["p.png"])
            }
        }

        /// What is recorded is what the target answers: asked again, it says the same.
        @Test func recordedAnswersAreTheTargets() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["record"] + Self.model + [
                        "--window", "8", "--batch", "4", "--rows", "100", "--out", "r.safetensors",
                    ], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let file = try SafetensorsFile(path: folder.path + "/r.safetensors")
                #expect(file.shape(of: "examples") == [100, 5, 1, 28, 28])
                let (times, sources) = (try file.floats(named: "time"), try file.floats(named: "source_time"))
                #expect(zip(times, sources).allSatisfy { $1 == -1 || $1 >= $0 })
                #expect(sources.contains(-1) && zip(times, sources).contains { $0 == $1 })
                let (examples, labels) = (try file.floats(named: "examples"), try file.floats(named: "label"))
                let rows = 90..<100
                let input = try SafetensorsWriter(
                    path: folder.path + "/i.safetensors",
                    tensors: [("sample", [10, 1, 28, 28]), ("timestep", [10]), ("label", [10])])
                for row in rows { try input.append(examples[row * 5 * 784..<(row * 5 + 1) * 784]) }
                try input.append(times[rows].map { 1000 * $0 })
                try input.append(labels[rows])
                try input.finish()
                let network = try UNet2D(
                    folder: Program.repository.appendingPathComponent("weights/fashion-mnist-draft").path)
                let outputs = try network(
                    sample: SafetensorsFile(path: folder.path + "/i.safetensors").floats(named: "sample"), batch: 10,
                    height: 28,
                    width: 28, timesteps: times[rows].map { 1000 * $0 }, classLabels: labels[rows].map { Int($0) },
                    threads: 1)
                for (place, row) in rows.enumerated() {
                    let angle = Double(times[row]) * .pi / 2
                    for i in 0..<784 {
                        // x̂0 = α x - σ v; times and states were rounded to Float on the way.
                        let state = Double(examples[row * 5 * 784 + i])
                        let expected = cos(angle) * state - sin(angle) * Double(outputs[place * 784 + i])
                        #expect(abs(expected - Double(examples[(row * 5 + 4) * 784 + i])) < 2e-3)
                    }
                }
            }
        }

        @Test func aLearntMixtureIsStoredAndUsed() throws {
            try Program.inFolder { folder in
                try FileManager.default.copyItem(
                    at: Program.repository.appendingPathComponent("weights/fashion-mnist-draft"),
                    to: folder.appendingPathComponent("model"))
                let sample = [
                    "sample", "--model", "model", "--draft", "mixture:learnt", "--steps", "20", "--count", "2",
                ]
                try BadInputTests.expectFailure(sample, in: folder, naming: "diffspec calibrate mixture")
                let outcome = try Program.run(
                    [
                        "calibrate", "mixture", "--model", "model", "--steps", "20", "--count", "4", "--parts", "4",
                        "--drafts",
                        "recycled,frozen-denoiser,frozen",
                    ], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let learnt = try SampleCommandTests.json(folder.appendingPathComponent("model/draft-mixture.json"))
                let alone = try #require(learnt["rejection_alone"] as? [Double])
                let rejection = try #require(learnt["rejection"] as? Double)
                #expect(alone.count == 3 && alone.allSatisfy { rejection <= $0 })
                let run = try Program.run(sample + ["--report", "r.json"], in: folder)
                try #require(run.status == 0, "\(run.errors)")
                #expect(
                    try SampleCommandTests.json(folder.appendingPathComponent("r.json"))["draft"] as? String
                        == "mixture:learnt")
            }
        }
    }
}
