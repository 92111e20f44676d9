import Foundation
import Testing

extension CommandLineTests {
    /// Every option of every command reaches the code: another value gives another result, apart from the report's echo of the
    /// settings. An option that is not listed here fails the test.
    @Suite("Options")
    struct OptionTests {
        /// A command as it is tried.
        struct Case: Sendable {
            let command: String
            /// What every run has, beside the options in turn.
            let base: [String]
            /// Other values, each with what it takes to have an effect.
            let changes: [String: (value: [String], with: [String])]
            /// Options that change no result, with another value each.
            var sames: [String: [String]] = [:]
            /// Outputs, and what other tests try: jobs in parts, processes, files of tokens.
            var elsewhere: [String] = []
        }

        private static let model = ["--model", "fashion-mnist-draft", "--steps", "12"]
        /// Stands for a folder with a scheduler that has betas.
        private static let ancestralModel = "ancestral"
        /// Of a chain on an image model.
        private static let chain: [String: (value: [String], with: [String])] = [
            "model": (["fashion-mnist"], []), "steps": (["13"], []), "churn": (["0.7"], []), "class": (["3"], []),
            "guidance": (["1"], []), "schedule": (["vp-linear"], []), "spacing": (["edm"], []),
            "chain": (["ddpm"], ["--model", ancestralModel]), "denoise-last-step": ([], []),
        ]
        private static let draftModel = (
            value: ["fashion-mnist"], with: ["--draft", "independent", "--draft-model", "fashion-mnist-draft"]
        )
        private static let speculation: [String: (value: [String], with: [String])] = [
            "window": (["3"], []), "draft": (["frozen"], []), "draft-model": draftModel,
            "no-fallback": ([], ["--churn", "1e-6", "--draft", "frozen", "--steps", "40"]),
        ]
        private static let rules: [String: (value: [String], with: [String])] = [
            "temperature": (["9"], ["--draft", "frozen"]), "rule": (["typical:0.3,0.3"], ["--draft", "frozen"]),
        ]
        private static let seed: [String: (value: [String], with: [String])] = [
            "seed": (["5"], []), "count": (["3"], []),
        ]

        private static func joined(
            _ parts: [String: (value: [String], with: [String])]...
        ) -> [String: (value: [String], with: [String])] {
            parts.reduce(into: [:]) { $0.merge($1) { $1 } }
        }

        static let cases: [Case] = [
            Case(
                command: "sample", base: model + ["--count", "2", "--tensors", "t.safetensors"],
                changes: joined(chain, speculation, rules, seed), sames: ["batch": ["1"], "threads": ["1"]],
                elsewhere: ["samples", "tensors", "out", "shard", "resume", "parallel"]),
            Case(
                command: "compare", base: model + ["--count", "2", "--tensors", "t.safetensors"],
                changes: joined(chain, speculation, rules, seed), sames: ["batch": ["1"], "threads": ["1"]],
                elsewhere: ["samples", "tensors", "out"]),
            Case(
                command: "survival",
                base: model + ["--start", "1", "--horizon", "9", "--count", "16", "--draft", "frozen"],
                changes: joined(
                    chain.filter { $0.key != "chain" },
                    [
                        "denoise-last-step": ([], ["--start", "10", "--horizon", "2"]), "draft": (["recycled"], []),
                        "draft-model": draftModel, "horizon": (["8"], []),
                        "start": (["2"], []), "count": (["18"], []), "seed": (["5"], []),
                    ]),
                sames: ["threads": ["1"]], elsewhere: ["out", "chain"]),
            Case(
                command: "sweep",
                base: model + [
                    "--count", "2", "--all-windows", "4", "--all-drafts", "frozen", "--all-churn", "0.5",
                    "--all-temperatures", "1",
                ],
                changes: joined(
                    chain.filter { $0.key != "churn" && $0.key != "steps" }, seed,
                    [
                        "all-churn": (["0.9"], []), "all-temperatures": (["9"], []), "all-drafts": (["recycled"], []),
                        "all-windows": (["2"], []), "all-steps": (["15"], []),
                        "draft-model": (
                            ["fashion-mnist"], ["--all-drafts", "independent", "--draft-model", "fashion-mnist-draft"]
                        ),
                        "no-fallback": ([], ["--all-churn", "1e-6", "--all-steps", "40"]),
                    ]),
                sames: ["batch": ["1"], "threads": ["1"]], elsewhere: ["csv", "out", "churn", "steps"]),
            Case(
                command: "record", base: model + ["--rows", "24", "--examples", "e.safetensors"],
                changes: joined(
                    chain.filter { $0.key != "denoise-last-step" }, speculation,
                    [
                        "no-fallback": (
                            [],
                            [
                                "--churn", "1e-6", "--draft", "frozen", "--steps", "40", "--rows", "400", "--batch",
                                "1",
                            ]
                        ), "rows": (["30"], []), "seed": (["5"], []), "batch": (["1"], []),
                    ]),
                // Of the last step the state before it is recorded, and no noise.
                sames: ["threads": ["1"], "denoise-last-step": []], elsewhere: ["examples"]),
            Case(
                command: "langevin", base: ["--steps", "40", "--count", "3"],
                changes: joined(
                    speculation.filter { $0.key != "draft-model" && $0.key != "no-fallback" },
                    rules.mapValues { (value: $0.value, with: $0.with + ["--energy", "gaussian"]) },
                    [
                        "energy": (["logistic"], []), "beta": (["2"], []), "lattice": (["3"], []),
                        "dimension": (["3"], ["--energy", "gaussian"]), "condition": (["3"], ["--energy", "gaussian"]),
                        "components": (["3"], ["--energy", "mixture"]),
                        "energy-seed": (["5"], ["--energy", "mixture"]), "step": (["0.0005"], []),
                        "steps": (["41"], []),
                        "count": (["4"], []), "tail": (["5"], []), "seed": (["5"], []),
                    ]),
                sames: ["batch": ["1"], "threads": ["1"]], elsewhere: ["out", "draft-model", "no-fallback"]),
            Case(
                command: "mixture", base: ["--steps", "12", "--count", "20"],
                changes: joined(
                    speculation.filter { $0.key != "draft-model" && $0.key != "no-fallback" }, rules, seed,
                    [
                        "dimension": (["3"], []), "components": (["3"], []), "mixture-seed": (["5"], []),
                        "steps": (["13"], []), "churn": (["0.7"], []), "model": (["mixture-2"], []),
                    ]),
                sames: ["threads": ["1"]],
                elsewhere: ["out", "export", "figure", "networks", "draft-model", "no-fallback"]),
        ]

        /// What a report says of the settings, and of the clock.
        private static let echoes: Set = [
            "model", "steps", "window", "draft", "churn", "temperature", "seed", "count", "threads", "rule", "fallback",
            "versions", "wall_seconds", "seconds", "chains", "step", "start", "horizon", "particles", "exact",
            "mixture_seed", "components", "dimension", "energy_name", "tail", "file", "rows", "wall", "plain_steps",
            "calls",
        ]

        private static func stripped(_ value: Any) -> Any {
            if let object = value as? [String: Any] {
                return object.filter { !echoes.contains($0.key) }.mapValues(stripped)
            }
            return (value as? [Any])?.map(stripped) ?? value
        }

        /// The small bundled network, said to be trained for betas.
        private static func makeAncestralModel(in folder: URL) throws {
            let model = folder.appendingPathComponent(ancestralModel)
            try FileManager.default.copyItem(
                at: Program.repository.appendingPathComponent("weights/fashion-mnist-draft"), to: model)
            try FileManager.default.removeItem(at: model.appendingPathComponent("process.json"))
            try Data(
                #"{"_class_name": "DDPMScheduler", "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}"#
                    .utf8
            ).write(to: model.appendingPathComponent("scheduler_config.json"))
        }

        /// All that a run makes but its settings' echo.
        private static func result(_ arguments: [String]) throws -> String {
            try Program.inFolder { folder in
                if arguments.contains(ancestralModel) { try makeAncestralModel(in: folder) }
                let outcome = try Program.run(arguments + ["--json"], in: folder)
                try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
                let report = stripped(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)))
                let files = try ["t.safetensors", "e.safetensors"].map { name in
                    // Not `hashValue`, which looks at the first bytes only. FNV-1a.
                    try? Data(contentsOf: folder.appendingPathComponent(name)).reduce(
                        UInt64(14_695_981_039_346_656_037)
                    ) {
                        ($0 ^ UInt64($1)) &* 1_099_511_628_211
                    }
                }
                return String(
                    decoding: try JSONSerialization.data(withJSONObject: report, options: [.sortedKeys]), as: UTF8.self)
                    + "\(files.compactMap(\.self))"
            }
        }

        @Test(arguments: cases.indices) func everyOptionCounts(index: Int) throws {
            let one = Self.cases[index]
            let plain = try Self.result([one.command] + one.base)
            for (option, change) in one.changes.sorted(by: { $0.key < $1.key }) {
                // The last value of an option is what counts.
                let before =
                    change.with.isEmpty ? plain : try Self.result([one.command] + Self.merged(one.base, change.with))
                let after = try Self.result(
                    [one.command] + Self.merged(one.base, change.with + ["--\(option)"] + change.value))
                #expect(after != before, "\(one.command) --\(option) changes nothing")
            }
            for (option, value) in one.sames {
                #expect(try Self.result([one.command] + one.base + ["--\(option)"] + value) == plain, "--\(option)")
            }
        }

        /// The arguments with later ones in place of earlier values of the same options.
        private static func merged(_ base: [String], _ more: [String]) -> [String] {
            var result = base
            for option in more where option.hasPrefix("--") {
                if let place = result.firstIndex(of: option) {
                    result.removeSubrange(place..<min(place + 2, result.count))
                }
            }
            // Where an option is given twice in what is added, the last one.
            var added: [[String]] = []
            for word in more {
                if word.hasPrefix("--") {
                    added.removeAll { $0[0] == word }
                    added.append([word])
                } else {
                    added[added.count - 1].append(word)
                }
            }
            return result + added.flatMap(\.self)
        }

        /// No option of these commands is left out above.
        @Test func noOptionIsForgotten() throws {
            let help = try Program.inFolder { folder in
                try Program.run(["--experimental-dump-help"], in: folder).output
            }
            let tree = try #require(try JSONSerialization.jsonObject(with: Data(help.utf8)) as? [String: Any])
            let command = try #require(tree["command"] as? [String: Any])
            let subcommands = try #require(command["subcommands"] as? [[String: Any]])
            for one in Self.cases {
                let found = try #require(subcommands.first { $0["commandName"] as? String == one.command })
                let options = try #require(found["arguments"] as? [[String: Any]])
                for option in options where option["shouldDisplay"] as? Bool == true {
                    let names = option["names"] as? [[String: Any]] ?? []
                    guard let name = names.compactMap({ $0["name"] as? String }).max(by: { $0.count < $1.count }) else {
                        continue
                    }
                    let isListed =
                        one.changes[name] != nil || one.sames[name] != nil || one.elsewhere.contains(name)
                        || ["json", "report", "quiet", "help", "version"].contains(name)
                    #expect(isListed, "\(one.command) --\(name)")
                }
            }
        }
    }
}
