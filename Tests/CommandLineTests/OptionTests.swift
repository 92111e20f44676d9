import Foundation
import Testing

extension CommandLineTests {
    /// Every option of every command reaches the code: another value gives another result, apart from the report's echo of the
    /// settings. An option that is not listed here fails the test.
    @Suite("Options")
    struct OptionTests {
        /// A command as it is tried.
        struct Case: Sendable {
            /// Its name, after that of the command it belongs to.
            let command: String
            /// What every run has, beside the options in turn.
            let base: [String]
            /// Other values, each with what it takes to have an effect.
            let changes: [String: (value: [String], with: [String])]
            /// Options that change no result, with another value each.
            var sames: [String: [String]] = [:]
            /// Outputs, and what other tests try: jobs in parts, processes, files of tokens.
            var elsewhere: [String] = []
            /// What stdin holds, of a command that answers lines with lines.
            var input: String?

            var words: [String] { command.split(separator: " ").map(String.init) }
        }

        private static let model = ["--model", "fashion-mnist-draft", "--steps", "12"]
        /// Stands for a folder with a scheduler that has betas.
        private static let ancestralModel = "ancestral"
        /// Of a chain on an image model.
        private static let chain: [String: (value: [String], with: [String])] = [
            "model": (["fashion-mnist"], []), "steps": (["13"], []), "churn": (["0.7"], []), "class": (["3"], []),
            "guidance": (["1"], []), "schedule": (["vp-linear"], []), "spacing": (["edm"], []),
            "rho": (["3"], ["--spacing", "edm"]), "times": (["times.json"], []),
            "eta": (["0.3"], ["--model", ancestralModel, "--chain", "ddim", "--eta", "0.9"]),
            "precision": (["bf16"], []),
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
                elsewhere: [
                    "samples", "tensors", "out", "scale", "labels", "shard", "resume", "parallel", "preview", "animate",
                    "init",
                    "strength", "mask",
                ]),
            Case(
                command: "compare", base: model + ["--count", "2", "--tensors", "t.safetensors"],
                changes: joined(chain, speculation, rules, seed), sames: ["batch": ["1"], "threads": ["1"]],
                elsewhere: ["samples", "tensors", "out", "scale", "init", "strength", "mask"]),
            Case(
                command: "survival",
                base: model + ["--start", "1", "--horizon", "9", "--count", "16", "--draft", "frozen"],
                changes: joined(
                    chain.filter { $0.key != "chain" && $0.key != "eta" },
                    [
                        "denoise-last-step": ([], ["--start", "10", "--horizon", "2"]), "draft": (["recycled"], []),
                        "draft-model": draftModel, "horizon": (["8"], []),
                        "start": (["2"], []), "count": (["18"], []), "seed": (["5"], []),
                    ]),
                sames: ["threads": ["1"]], elsewhere: ["out", "chain", "eta"]),
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
                        "eta": (
                            ["0.3"],
                            [
                                "--model", ancestralModel, "--chain", "ddim", "--eta", "0.9", "--all-drafts",
                                "recycled", "--all-steps", "40",
                            ]
                        ),
                        // Two samples may well be decided the same.
                        "precision": (["bf16"], ["--count", "96"]),
                        "draft-model": (
                            ["fashion-mnist"], ["--all-drafts", "independent", "--draft-model", "fashion-mnist-draft"]
                        ),
                        "no-fallback": ([], ["--all-churn", "1e-6", "--all-steps", "40"]),
                    ]),
                sames: ["batch": ["1"], "threads": ["1"]], elsewhere: ["csv", "resume", "out", "churn", "steps"]),
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
                        "dynamics": (["obabo"], []), "friction": (["2"], ["--dynamics", "aboba"]),
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
            Case(
                command: "plan", base: model + ["--all-windows", "4", "--all-drafts", "frozen"],
                changes: joined(
                    chain, seed,
                    [
                        "all-churn": (["0.9"], []), "all-windows": (["2"], []), "all-drafts": (["recycled"], []),
                        "all-steps": (["13"], []), "workers": (["3"], []),
                        "ranks": (["2,3"], ["--ranks", "2"] + interconnect),
                        "latency": (["1e12"], ["--ranks", "2"] + interconnect),
                        "bandwidth": (["1e-9"], ["--ranks", "2"] + interconnect),
                        "draft-model": (
                            ["fashion-mnist"], ["--all-drafts", "independent", "--draft-model", "fashion-mnist-draft"]
                        ),
                        "no-fallback": ([], ["--churn", "1e-6", "--steps", "40"]),
                    ]),
                // It changes predicted times alone, which are not compared.
                elsewhere: ["threads", "times-out"]),
            Case(
                command: "policy", base: ["--model", "model", "--steps", "20", "--window", "5"],
                changes: joined(
                    rules,
                    [
                        "model": (["other-model"], []), "steps": (["21"], []), "spacing": (["trailing"], []),
                        "precision": (["bf16"], []), "window": (["3"], []), "draft": (["frozen"], []),
                        "seed": (["5"], []), "chain": (["ddim"], ["--draft", "none"]),
                        "eta": (["0.4"], ["--chain", "ddim", "--eta", "1"]),
                    ]),
                sames: ["threads": ["1"]], elsewhere: ["draft-model", "no-fallback", "socket"],
                input: #"{"observation": [[1, 20, 30, 40, 50], [2, 21, 31, 41, 51.5]]}"#),
            Case(
                command: "calibrate prior", base: ["stored", "--count", "2"],
                changes: ["count": (["3"], []), "seed": (["5"], [])], sames: ["threads": ["1"]]),
            Case(
                command: "calibrate mixture",
                base: [
                    "--model", "stored", "--steps", "12", "--count", "2", "--rounds", "1", "--parts", "3", "--drafts",
                    "frozen,recycled",
                ],
                changes: joined(
                    chain, seed,
                    [
                        "drafts": (["frozen,recycled-zeroth"], []), "window": (["3"], []), "parts": (["2"], []),
                        "rounds": (["2"], []), "model": (["fashion-mnist"], []),
                        "draft-model": (
                            ["fashion-mnist"],
                            ["--drafts", "independent,recycled", "--draft-model", "fashion-mnist-draft"]
                        ),
                    ]),
                sames: ["threads": ["1"]]),
            Case(
                command: "couple",
                base: [
                    "--target", "q.json", "--draft-law", "p.json", "--rule", "kseq", "--drafts", "2", "--count", "50",
                ],
                changes: [
                    "target": (["p.json"], []), "draft-law": (["q.json"], ["--rule", "specinfer"]),
                    "drafts": (["3"], []),
                    "draft-scheme": (["greedy"], ["--rule", "specinfer"]), "rule": (["naive"], []),
                    "count": (["60"], []), "seed": (["5"], []),
                    "tolerance": (["0.05"], ["--rule", "global-resolution"]),
                    "precision": (["0.3"], ["--rule", "low-communication", "--drafts", "1"]),
                    "free-tokens": (["2"], ["--rule", "importance-truncated"]),
                    "likeliest": (["1"], ["--rule", "importance-vocabulary", "--drafts", "2"]),
                ], sames: ["threads": ["1"]], elsewhere: ["stream"]),
            Case(
                command: "decode", base: ["--text", "x.txt", "--prompt", "the ", "--tokens", "40"],
                changes: [
                    "text": (["y.txt"], []), "prompt": (["a "], []), "tokens": (["30"], []), "order": (["2"], []),
                    "draft-order": (["1"], []), "lookahead": (["2"], []), "drafts": (["1"], []),
                    "draft-scheme": (["greedy"], ["--token-temperature", "3"]),
                    "branching": (["3,2"], ["--token-temperature", "3"]),
                    "rule": (["naive"], ["--token-temperature", "3"]), "token-temperature": (["3"], []),
                    "seed": (["5"], ["--token-temperature", "3"]),
                    "tolerance": (["0.3"], ["--rule", "global-resolution", "--token-temperature", "3"]),
                    "free-tokens": (["1"], ["--rule", "importance-truncated", "--token-temperature", "3"]),
                    "likeliest": (["0"], ["--rule", "importance-vocabulary", "--token-temperature", "3"]),
                    "pairs": (["3"], []), "top-k": (["1"], ["--token-temperature", "3"]),
                    "top-p": (["0.3"], ["--token-temperature", "3"]), "min-p": (["0.5"], ["--token-temperature", "3"]),
                    "draft-token-temperature": (["9"], ["--token-temperature", "3"]),
                    "draft-top-k": (["1"], ["--token-temperature", "3"]),
                    "draft-top-p": (["0.3"], ["--token-temperature", "3"]),
                    "draft-min-p": (["0.5"], ["--token-temperature", "3"]),
                ], sames: ["threads": ["1"]], elsewhere: ["checkpoint", "draft-checkpoint", "tokenizer", "precision"]),
            Case(
                command: "limit acceptance", base: ["--target", "q.json", "--draft-law", "p.json"],
                changes: [
                    "target": (["p.json"], []), "draft-law": (["q.json"], []), "drafts": (["2"], []),
                ], elsewhere: ["distance"]),
            Case(
                command: "limit metaconverse", base: ["--bsc", "0.1", "--length", "3"],
                changes: [
                    "bsc": (["0.2"], []), "length": (["4"], []), "error": (["0.1"], []), "bits": (["2"], []),
                ], elsewhere: ["bec", "channel"]),
        ]

        /// Options of all commands that print, and those of pipelines that read texts, which have tests of their own.
        private static let everywhere: Set = [
            "json", "report", "html", "quiet", "help", "version", "prompt", "negative-prompt",
        ]

        /// Commands that are not walked: `verify` takes too long for it; the others have no options but files.
        private static let others: Set = ["verify", "merge", "evaluate", "inspect", "models", "tokenize", "help"]
        private static let interconnect = ["--latency", "1", "--bandwidth", "1"]

        /// What a report says of the settings, and of the clock.
        private static let echoes: Set = [
            "model", "steps", "window", "draft", "churn", "temperature", "seed", "count", "threads", "rule", "fallback",
            "versions", "wall_seconds", "seconds", "chains", "step", "start", "horizon", "particles", "exact",
            "mixture_seed", "components", "dimension", "energy_name", "tail", "file", "rows", "wall", "plain_steps",
            "tokens_per_second", "speedup",
            "calls",
        ]

        /// Times by the clock, and forecasts from them, of which only the order can be compared: a thousand seconds and
        /// more, or less.
        private static let times: Set = [
            "call_times", "seconds", "rank_seconds", "milliseconds", "best", "encoding_milliseconds",
            "planning_milliseconds",
        ]

        private static func stripped(_ value: Any) -> Any {
            if let object = value as? [String: Any] {
                let kept = object.filter { !echoes.contains($0.key) || times.contains($0.key) }
                return Dictionary(
                    uniqueKeysWithValues: kept.map { key, value in
                        (key, times.contains(key) ? coarse(value) : stripped(value))
                    })
            }
            return (value as? [Any])?.map(stripped) ?? value
        }

        private static func coarse(_ value: Any) -> Any {
            if let object = value as? [String: Any] { return object.mapValues(coarse) }
            if let array = value as? [Any] { return array.map(coarse) }
            return (value as? Double).map { $0 >= 1000 } ?? false
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

        /// What the commands read, by the names that the cases have for it.
        private static func makeInputs(of arguments: [String], in folder: URL) throws {
            if arguments.contains(ancestralModel) { try makeAncestralModel(in: folder) }
            if arguments.contains("stored") {
                try FileManager.default.copyItem(
                    at: Program.repository.appendingPathComponent("weights/fashion-mnist-draft"),
                    to: folder.appendingPathComponent("stored"))
            }
            try FiniteCommandTests.writeInputs(in: folder)
            try Data(#"{"times": [0.99, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.01]}"#.utf8).write(
                to: folder.appendingPathComponent("times.json"))
            try Data(String(repeating: "a dog sat on the cat. ", count: 8).utf8).write(
                to: folder.appendingPathComponent("y.txt"))
            if arguments[0] == "policy" {
                try PolicyCommandTests.makeModel(in: folder, named: "model")
                try PolicyCommandTests.makeModel(in: folder, named: "other-model", highest: 50)
            }
        }

        /// All that a run makes but its settings' echo.
        private static func result(_ arguments: [String], input: String?) throws -> String {
            try Program.inFolder { folder in
                try makeInputs(of: arguments, in: folder)
                let outcome = try Program.run(
                    input == nil ? arguments + ["--json"] : arguments, in: folder, input: input.map { Data($0.utf8) })
                try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
                let report = stripped(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)))
                let files = [
                    "t.safetensors", "e.safetensors", "stored/prior.safetensors", "stored/draft-mixture.json",
                ].map { name in
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
            func result(_ arguments: [String]) throws -> String {
                try Self.result(one.words + arguments, input: one.input)
            }
            let plain = try result(one.base)
            for (option, change) in one.changes.sorted(by: { $0.key < $1.key }) {
                // The last value of an option is what counts.
                let before =
                    change.with.isEmpty ? plain : try result(Self.merged(one.base, change.with))
                let after = try result(Self.merged(one.base, change.with + ["--\(option)"] + change.value))
                #expect(after != before, "\(one.command) --\(option) changes nothing")
            }
            for (option, value) in one.sames {
                #expect(try result(one.base + ["--\(option)"] + value) == plain, "--\(option)")
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

        /// No command and no option is left out above.
        @Test func noOptionIsForgotten() throws {
            let help = try Program.inFolder { folder in
                try Program.run(["--experimental-dump-help"], in: folder).output
            }
            let tree = try #require(try JSONSerialization.jsonObject(with: Data(help.utf8)) as? [String: Any])
            try checkOptions(of: try #require(tree["command"] as? [String: Any]), named: [])
        }

        /// Goes down to the commands that have no others.
        private func checkOptions(of command: [String: Any], named words: [String]) throws {
            let subcommands = command["subcommands"] as? [[String: Any]] ?? []
            for subcommand in subcommands where subcommand["commandName"] as? String != "help" {
                try checkOptions(of: subcommand, named: words + [try #require(subcommand["commandName"] as? String)])
            }
            let name = words.joined(separator: " ")
            guard subcommands.isEmpty, !Self.others.contains(name) else { return }
            let one = try #require(Self.cases.first { $0.command == name }, "\(name) is not walked")
            let options = try #require(command["arguments"] as? [[String: Any]])
            for option in options where option["shouldDisplay"] as? Bool == true {
                let names = option["names"] as? [[String: Any]] ?? []
                guard let name = names.compactMap({ $0["name"] as? String }).max(by: { $0.count < $1.count }) else {
                    continue
                }
                let isListed =
                    one.changes[name] != nil || one.sames[name] != nil || one.elsewhere.contains(name)
                    || Self.everywhere.contains(name)
                #expect(isListed, "\(one.command) --\(name)")
            }
        }
    }
}
