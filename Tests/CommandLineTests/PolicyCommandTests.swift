import Foundation
import NeuralNetwork
import Testing

extension CommandLineTests {
    @Suite("diffspec policy")
    struct PolicyCommandTests {
        /// A policy of random weights in `model`.
        static func inFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
            try Program.inFolder { folder in
                try makeModel(in: folder, named: "model")
                return try body(folder)
            }
        }

        /// A policy of random weights: 16 actions of 2 numbers from 2 states of 5, both from 0 to `highest` in training.
        static func makeModel(in folder: URL, named name: String, highest: Float = 100) throws {
            let model = folder.appendingPathComponent(name)
            try FileManager.default.copyItem(
                at: Program.repository.appendingPathComponent(
                    "Tests/NeuralNetworkTests/Fixtures/policies/pusht-narrow"),
                to: model)
            try Data("{\"num_train_timesteps\": 100, \"beta_schedule\": \"squaredcos_cap_v2\"}".utf8)
                .write(to: model.appendingPathComponent("scheduler_config.json"))
            let tensors: [(name: String, shape: [Int])] = [
                ("observation_minimum", [5]), ("observation_maximum", [5]), ("action_minimum", [2]),
                ("action_maximum", [2]),
            ]
            let writer = try SafetensorsWriter(
                path: model.appendingPathComponent("statistics.safetensors").path, tensors: tensors)
            for (index, tensor) in tensors.enumerated() {
                try writer.append([Float](repeating: index % 2 == 0 ? 0 : highest, count: tensor.shape[0]))
            }
            try writer.finish()
        }

        static let options = ["policy", "--model", "model", "--steps", "20", "--window", "5", "--threads", "1"]
        static let observation = "[[1, 20, 30, 40, 50], [2, 21, 31, 41, 51.5]]"
        static let other = "[[90, 20, 30, 40, 50], [91, 21, 31, 41, 51.5]]"

        /// The answers to `lines`, after which stdin ends.
        static func answers(_ lines: [String], _ options: [String] = options, in folder: URL) throws -> [JSON] {
            let outcome = try Program.run(options, in: folder, input: Data(lines.joined(separator: "\n").utf8))
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
            return try outcome.output.split(separator: "\n").map { try JSON(parsing: $0.utf8) }
        }

        @Test func plansAreSampledBetweenTheLimits() throws {
            try Self.inFolder { folder in
                let answer = try Self.answers(
                    ["{\"observation\": \(Self.observation), \"seed\": 4, \"id\": {\"n\": [\"a\\n\"]}}"], in: folder)[0]
                let actions = try #require(answer["actions"]?.array)
                #expect(actions.count == 16)
                for action in actions {
                    let numbers = try #require(action.array)
                    #expect(numbers.count == 2 && numbers.allSatisfy { (0...100).contains($0.double ?? -1) })
                }
                let (nfe, evaluations) = (try #require(answer["nfe"]?.int), try #require(answer["evaluations"]?.int))
                #expect(nfe < 20 && evaluations >= 20)
                #expect(answer["seed"] == .integer(4) && answer["exact"] == .bool(true))
                #expect(try #require(answer["milliseconds"]?.double) > 0)
                #expect(answer["id"] == .object([.init("n", .array([.string("a\n")]))]))
            }
        }

        /// A plan is a function of its observation and its seed, to the bit: alone, in a batch, by another server.
        @Test(arguments: ["recycled", "none", "frozen-denoiser"]) func aBatchPlansWhatSinglesPlan(draft: String) throws
        {
            try Self.inFolder { folder in
                let options = Self.options + ["--draft", draft]
                let found = try Self.answers(
                    [
                        "{\"observation\": [\(Self.observation), \(Self.other), \(Self.observation)], \"seed\": [3, 4, 4]}",
                        "{\"observation\": \(Self.observation), \"seed\": 3}",
                        "{\"observation\": \(Self.other), \"seed\": 4}",
                        "{\"observation\": [\(Self.other), \(Self.observation)], \"seed\": 4}",
                    ], options, in: folder)
                let again = try Self.answers(
                    ["{\"observation\": \(Self.observation), \"seed\": 4}"], options, in: folder)[0]
                for key in ["actions", "nfe", "evaluations", "seed"] {
                    let singles = try [found[1], found[2], again].map { try #require($0[key]) }
                    #expect(found[0][key] == .array(singles))
                    #expect(found[3][key] == .array([singles[1], singles[2]]))
                }
                #expect(found[1]["actions"] != again["actions"])
                if draft == "none" {
                    #expect(found[1]["nfe"] == .integer(20) && found[1]["evaluations"] == .integer(20))
                }
            }
        }

        /// Without seeds, plans take --seed and those after it, and say so.
        @Test func seedsAreCountedOn() throws {
            try Self.inFolder { folder in
                let single = "{\"observation\": \(Self.observation)}"
                let found = try Self.answers(
                    [
                        single, "{\"observation\": [\(Self.observation), \(Self.observation)]}", "{\"observation\": 0}",
                        single,
                        "{\"observation\": \(Self.observation), \"seed\": 11}",
                    ],
                    Self.options + ["--seed", "10"], in: folder)
                #expect(found[0]["seed"] == .integer(10) && found[3]["seed"] == .integer(13))
                #expect(found[1]["seed"] == .array([.integer(11), .integer(12)]))
                #expect(found[1]["actions"]?.array?.first == found[4]["actions"])
            }
        }

        static let badLines = [
            "", "x", "[]", "{}", "null", "{\"observation\": 1}", "{\"observation\": []}", "{\"observation\": [[]]}",
            "{\"observation\": [[[]]]}", "{\"observation\": [[1, 2, 3, 4, 5]]}",
            "{\"observation\": [[1, 2, 3, 4], [1, 2, 3, 4]]}",
            "{\"observation\": [[1, 2, 3, 4, 5], [1, 2, 3, 4, \"5\"]]}",
            "{\"observation\": [[1, 2, 3, 4, 5], [1, 2, 3, 4, null]]}",
            "{\"observation\": [[1, 2, 3, 4, 5], [1, 2, 3, 4, NaN]]}",
            "{\"observation\": [[1, 2, 3, 4, 5], [1, 2, 3, 4, 1e999]]}",
            "{\"observation\": [[1, 2, 3, 4, 5], [1, 2, 3, 4, 1e300]]}", "{\"observation\": [\(observation), [[1]]]}",
            "{\"observation\": \(observation), \"seed\": -1}", "{\"observation\": \(observation), \"seed\": 1.5}",
            "{\"observation\": \(observation), \"seed\": \"1\"}", "{\"observation\": \(observation), \"seed\": [1]}",
            "{\"observation\": \(observation), \"seed\": 18446744073709551616}",
            "{\"observation\": [\(observation)], \"seed\": [1, 2]}",
            "{\"observation\": [\(observation)], \"seed\": [true]}", "{\"observation\": \(observation)",
            String(repeating: "[", count: 1000),
            String(repeating: "x", count: 17 << 20), "\u{0}\u{1}",
        ]

        /// Every bad line is answered with an error, in its place, and the server lives on.
        @Test func badLinesAreAnswered() throws {
            try Self.inFolder { folder in
                let good = "{\"observation\": \(Self.observation), \"seed\": 1}"
                let found = try Self.answers(Self.badLines.flatMap { [$0, good] }, in: folder)
                try #require(found.count == 2 * Self.badLines.count)
                for (index, line) in Self.badLines.enumerated() {
                    #expect(found[2 * index]["error"]?.string?.isEmpty == false, "\(line.prefix(100))")
                    #expect(found[2 * index]["actions"] == nil)
                    #expect(found[2 * index + 1]["actions"] == found[1]["actions"])
                }
            }
        }

        /// An answer comes before the next request is made; a signal ends the server between two of them.
        @Test(arguments: [SIGTERM, SIGINT]) func answersComeAtOnceAndSignalsEndIt(signal: Int32) throws {
            try Self.inFolder { folder in
                let process = Process()
                process.executableURL = Program.url()
                process.arguments = Self.options
                process.currentDirectoryURL = folder
                let (input, output, errors) = (Pipe(), Pipe(), Pipe())
                (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
                try process.run()
                for seed in 0..<3 {
                    input.fileHandleForWriting.write(
                        Data("{\"observation\": \(Self.observation), \"seed\": \(seed)}\n".utf8))
                    var line = Data()
                    while line.last != UInt8(ascii: "\n") {
                        let more = output.fileHandleForReading.availableData
                        try #require(!more.isEmpty)
                        line += more
                    }
                    #expect(try JSON(parsing: line)["seed"] == .integer(seed))
                }
                kill(process.processIdentifier, signal)
                process.waitUntilExit()
                #expect(process.terminationStatus == 128 + signal)
                #expect(output.fileHandleForReading.readDataToEndOfFile().isEmpty)
            }
        }

        static let usage: [[String]] = [
            ["--steps", "0"], ["--window", "0"], ["--draft", "assisted"], ["--draft", "independent"],
            ["--threads", "0"],
            ["--rule", "projection:pool:2"], ["--seed", "18446744073709551615"], ["--temperature", "0"],
            ["--spacing", "dense"],
            ["--draft", "mixture:independent=1"], ["--draft", "corrected"], ["--draft", "mixture:learnt"],
        ]

        @Test(arguments: usage) func usageErrors(arguments: [String]) throws {
            try Self.inFolder { folder in
                let outcome = try Program.run(["policy", "--model", "model"] + arguments, in: folder, input: Data())
                #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.errors)")
            }
        }

        @Test func whatDoesNotFitEndsAtTheStart() throws {
            try Self.inFolder { folder in
                for (arguments, word) in [
                    (["policy", "--model", "model", "--steps", "101"], "100 training steps"),
                    (["policy", "--model", "fashion-mnist"], "diffspec sample"),
                    (["policy", "--model", "none"], "bundled models"),
                    (["sample", "--model", "model"], "diffspec policy"), (["calibrate", "model"], "diffspec policy"),
                ] {
                    let outcome = try Program.run(arguments, in: folder, input: Data())
                    #expect(outcome.status == 1 && outcome.errors.contains(word), "\(outcome.errors)")
                    #expect(outcome.errors.split(separator: "\n").count == 1)
                }
                try FileManager.default.removeItem(at: folder.appendingPathComponent("model/statistics.safetensors"))
                let outcome = try Program.run(Self.options, in: folder, input: Data())
                #expect(outcome.status == 1 && outcome.errors.contains("observation_minimum"))
            }
        }

        @Test func aTemperatureIsSaidNotToBeExact() throws {
            try Self.inFolder { folder in
                let line = "{\"observation\": \(Self.observation), \"seed\": 1}"
                let found = try Self.answers([line], Self.options + ["--temperature", "1.5"], in: folder)[0]
                #expect(found["exact"] == .bool(false))
            }
        }

        @Test func evaluateAndInspectKnowPolicies() throws {
            try Self.inFolder { folder in
                let outcome = try Program.run(
                    ["evaluate", "--model", "model", "--input", "model/case.safetensors", "--output", "o.safetensors"],
                    in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let expected = try SafetensorsFile(path: folder.path + "/model/case.safetensors").floats(
                    named: "output")
                let file = try SafetensorsFile(path: folder.path + "/o.safetensors")
                #expect(file.shape(of: "output") == [5, 16, 2])
                // The outputs are of about unit size.
                #expect(zip(try file.floats(named: "output"), expected).allSatisfy { abs($0 - $1) < 1e-4 })

                let inspection = try JSON(parsing: Program.run(["inspect", "model", "--json"], in: folder).output.utf8)
                #expect(inspection["architecture"]?.string == "ConditionalUnet1D")
                #expect(inspection["policy"]?["observation_steps"] == .integer(2))
                #expect(inspection["checked_tensors"]?.int == inspection["tensors"]?.array?.count)
                #expect(inspection["cannot_sample"] == nil)
            }
        }
    }
}
