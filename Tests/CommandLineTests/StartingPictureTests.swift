import Diffusion
import Foundation
import Imaging
import Jobs
import Models
import NeuralNetwork
import Testing

extension CommandLineTests {
    /// `sample --init --strength --mask`, and `--preview`.
    @Suite("diffspec sample from a picture")
    struct StartingPictureTests {
        static let model = ["--model", "fashion-mnist-draft", "--steps", "20", "--window", "6", "--threads", "1"]

        /// A picture `init.png` of 28×28 with a bright square, and a `mask.png` whose lower half is white.
        static func inFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
            try Program.inFolder { folder in
                try picture { 8..<20 ~= $0 && 8..<20 ~= $1 ? 0.5 : -1 }
                    .writePNG(to: folder.appendingPathComponent("init.png").path)
                try picture { row, _ in row < 14 ? -1 : 1 }.writePNG(to: folder.appendingPathComponent("mask.png").path)
                return try body(folder)
            }
        }

        static func picture(_ value: (_ row: Int, _ column: Int) -> Double) -> Image {
            Image(planes: (0..<784).map { value($0 / 28, $0 % 28) }, channels: 1, height: 28, width: 28)
        }

        static func samples(_ options: [String], in folder: URL) throws -> [Float] {
            let outcome = try Program.run(
                ["sample"] + model + ["--quiet", "--tensors", "t.safetensors"] + options, in: folder)
            try #require(outcome.status == 0, "\(outcome.errors)")
            return try SafetensorsFile(path: folder.path + "/t.safetensors").floats(named: "samples")
        }

        /// Kept pixels come out as they were where the last step adds no noise, and the others do not.
        @Test(arguments: ["none", "recycled", "frozen"]) func keptPixelsStayAsTheyAre(draft: String) throws {
            try Self.inFolder { folder in
                let values = try Self.samples(
                    [
                        "--count", "3", "--init", "init.png", "--mask", "mask.png", "--denoise-last-step", "--draft",
                        draft,
                    ], in: folder)
                for sample in 0..<3 {
                    let own = values[sample * 784..<(sample + 1) * 784]
                    for (index, value) in own.enumerated() where index < 14 * 28 {
                        let isSquare = 8..<20 ~= index / 28 && 8..<20 ~= index % 28
                        // A picture has 256 levels; the sample is stored in single precision.
                        #expect(abs(value - (isSquare ? 0.498_039_2 : -1)) < 1e-5)
                    }
                    #expect(own.dropFirst(14 * 28).contains { $0 != -1 && abs($0 - 0.498_039_2) > 0.01 })
                }
            }
        }

        /// The last s · K steps are run, from the picture: a little strength leaves it about as it was.
        @Test func strengthIsHowMuchOfTheChainIsRun() throws {
            try Self.inFolder { folder in
                func distance(_ strength: String) throws -> (steps: Int, distance: Double) {
                    let options = ["--count", "4", "--init", "init.png", "--strength", strength, "--draft", "none"]
                    let values = try Self.samples(options + ["--report", "r.json"], in: folder)
                    let report = try SampleCommandTests.json(folder.appendingPathComponent("r.json"))
                    let nfe = try #require(report["nfe"] as? [String: Double])
                    let sum = values.enumerated().reduce(0.0) { sum, item in
                        let (row, column) = (item.offset % 784 / 28, item.offset % 28)
                        let start: Float = 8..<20 ~= row && 8..<20 ~= column ? 0.498_039_2 : -1
                        return sum + Double((item.element - start) * (item.element - start))
                    }
                    #expect(report["steps"] as? Double == nfe["mean"])
                    return (Int(try #require(nfe["mean"])), sum / Double(values.count))
                }
                let (little, much) = (try distance("0.15"), try distance("0.9"))
                #expect(little.steps == 3 && much.steps == 18)
                #expect(little.distance < 0.25 * much.distance)
            }
        }

        /// Plain and speculative sampling are compared from the same picture, and speculation saves calls. That such a test sees
        /// wrong laws is shown on a smaller chain (`ModelsTests`).
        @Test func bothWaysAreCompared() throws {
            try Self.inFolder { folder in
                let options = ["--count", "120", "--class", "Bag", "--init", "init.png", "--mask", "mask.png"]
                let outcome = try Program.run(
                    ["compare"] + Self.model + options + ["--json", "--seed", "2"], in: folder)
                let result = try #require(
                    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
                let test = try #require(result["two_sample"] as? [String: Any])
                #expect(try #require(test["p_value"] as? Double) > 0.001)
                let ratio = try #require(result["ratio"] as? [String: Double])
                #expect(try #require(ratio["nfe"]) > 1.5)
            }
        }

        /// A picture names the command that made it, its start among the words, and a job does not resume from another picture.
        @Test func theStartBelongsToTheJob() throws {
            try Self.inFolder { folder in
                let words =
                    ["sample"] + Self.model + ["--count", "2", "--init", "init.png", "--samples", "job", "--quiet"]
                #expect(try Program.run(words, in: folder).status == 0)
                let inspected = try Program.run(["inspect", "samples.png"], in: folder)
                #expect(inspected.output.contains("--init init.png --strength 0.8"))
                #expect(try Program.run(words + ["--resume"], in: folder).status == 0)
                try Self.picture { row, _ in row < 3 ? 1 : 0 }
                    .writePNG(to: folder.appendingPathComponent("init.png").path)
                let other = try Program.run(words + ["--resume"], in: folder)
                #expect(other.status == 1 && other.errors.contains("start_pictures"))
            }
        }

        static let usage: [([String], Int32)] = [
            (["--mask", "mask.png"], 64), (["--strength", "0.5"], 64), (["--init", "init.png", "--strength", "0"], 64),
            (["--init", "init.png", "--strength", "1.5"], 64), (["--init", "init.png", "--strength", "0.01"], 64),
            (["--init", "nowhere.png"], 1), (["--init", "."], 1), (["--init", "text"], 1),
            (["--init", "small.png"], 1),
            (["--init", "init.png", "--mask", "small.png"], 1), (["--init", "init.png", "--mask", "black.png"], 64),
            (["--preview", "0"], 64),
        ]

        @Test(arguments: usage.indices) func whatCannotBeIsSaid(_ index: Int) throws {
            let (options, status) = Self.usage[index]
            try Self.inFolder { folder in
                try Data("text".utf8).write(to: folder.appendingPathComponent("text"))
                try Image(width: 8, height: 8, channels: 1, fill: 0)
                    .writePNG(to: folder.appendingPathComponent("small.png").path)
                try Self.picture { _, _ in -1 }.writePNG(to: folder.appendingPathComponent("black.png").path)
                let outcome = try Program.run(["sample"] + Self.model + ["--count", "1"] + options, in: folder)
                #expect(outcome.status == status, "\(options): \(outcome.errors)")
                #expect(outcome.errors.contains("rror") && !outcome.errors.contains("Fatal"))
                #expect(try Program.files(in: folder) == ["black.png", "init.png", "mask.png", "small.png", "text"])
            }
        }

        /// While samples are under way there is a picture of what they will be; in the end there is the picture itself alone.
        @Test(arguments: [DraftRecipe.none, .recycled]) func previewsComeAndGo(draft: DraftRecipe) throws {
            try Self.inFolder { folder in
                var recipe = SamplingRecipe(model: ModelRecipe("fashion-mnist-draft"), chain: ChainRecipe(steps: 8))
                recipe.speculation = SpeculationRecipe(draft: draft, window: .fixed(3))
                var request = SampleRequest(recipe)
                (request.count, request.threads, request.previewRounds) = (3, 1, 2)
                request.grid = folder.appendingPathComponent("out.png").path
                let preview = folder.appendingPathComponent("out.preview.png").path
                let watcher = Watcher(preview)
                _ = try SampleJob(request, monitor: watcher).run()
                #expect(watcher.sizes.value.filter { $0 > 100 }.count >= 2)
                #expect(watcher.sizes.value.first == 0)
                #expect(try Program.files(in: folder) == ["init.png", "mask.png", "out.png"])
            }
        }

        /// Looks at a file before every round.
        private final class Watcher: RunMonitor {
            let path: String
            let sizes = Locked<[Int]>([])
            init(_ path: String) { self.path = path }
            func begin(_ title: String, total: Double) {}
            func update(done: Double, _ detail: (Double) -> String) {}
            func end() {}
            func warn(_ text: String) {}
            func check() {
                let size = FileManager.default.contents(atPath: path)?.count ?? 0
                sizes.change { $0.append(size) }
            }
        }
    }
}
