import Foundation
import NeuralNetwork
import Testing

extension CommandLineTests {
    /// `diffspec couple --stream`: another program's decoder asks, a line for a line.
    @Suite("diffspec couple --stream")
    struct CouplingStreamTests {
        static func answers(_ lines: [String], _ options: [String] = ["--rule", "specinfer"]) throws -> [JSON] {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["couple", "--stream"] + options, in: folder, input: Data(lines.joined(separator: "\n").utf8))
                #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
                return try outcome.output.split(separator: "\n").map { try JSON(parsing: $0.utf8) }
            }
        }

        /// The tokens of many positions have the target's law: 20,000 of three letters, drafted by the draft's own law.
        @Test(arguments: ["naive", "kseq", "specinfer", "importance", "max-flow"])
        func decisionsHaveTheTargetsLaw(rule: String) throws {
            let (target, draft) = ([0.6, 0.3, 0.1], [0.2, 0.3, 0.5])
            let count = 20_000
            // Drafts by quantiles, in an order that has nothing to do with the decisions' randomness.
            func drafted(_ quantile: Double) -> Int { quantile < 0.2 ? 0 : quantile < 0.5 ? 1 : 2 }
            let golden = 0.618_033_988_749_894_9
            let lines = (0..<count).map { position -> String in
                let first = (Double(position) * golden).truncatingRemainder(dividingBy: 1)
                let second = (Double(position) * golden * 0.754_877_666).truncatingRemainder(dividingBy: 1)
                return
                    "{\"target\": \(target), \"draft\": \(draft), \"drafted\": [\(drafted(first)), \(drafted(second))], "
                    + "\"position\": \(position)}"
            }
            var counts = [0.0, 0, 0]
            let answers = try Self.answers(lines, ["--rule", rule, "--seed", "3"])
            try #require(answers.count == count)
            for answer in answers { counts[try #require(answer["token"]?.int)] += 1 }
            // χ² of two degrees of freedom: beyond 18 once in ten thousand, and here once and for all by the seed.
            let statistic = zip(counts, target).reduce(0) {
                let expected = Double(count) * $1.1
                return $0 + ($1.0 - expected) * ($1.0 - expected) / expected
            }
            #expect(statistic < 18)
            // The draft's own law is far from it.
            let wrong = zip(counts, draft).reduce(0) {
                let expected = Double(count) * $1.1
                return $0 + ($1.0 - expected) * ($1.0 - expected) / expected
            }
            #expect(wrong > 1000)
        }

        /// Tokens drafted once each, and greedily: the rules say which of them they are for, and drafts that cannot be are refused.
        @Test func draftSchemes() throws {
            let (target, draft) = ([0.5, 0.3, 0.2], [0.6, 0.3, 0.1])
            func line(_ scheme: String, _ drafted: [Int], _ rule: String, _ position: Int) -> String {
                "{\"target\": \(target), \"draft\": \(draft), \"drafted\": \(drafted), \"draft_scheme\": \"\(scheme)\", "
                    + "\"rule\": \"\(rule)\", \"position\": \(position)}"
            }
            // Every pair of different tokens as often as its law says, of 1,000: 0.6 · 0.3/0.4, and so on.
            let pairs: [([Int], Int)] = [
                ([0, 1], 450), ([0, 2], 150), ([1, 0], 257), ([1, 2], 43), ([2, 0], 67), ([2, 1], 33),
            ]
            var lines: [String] = []
            for (drafted, count) in pairs {
                for _ in 0..<8 * count { lines.append(line("without-replacement", drafted, "specinfer", lines.count)) }
            }
            var counts = [0.0, 0, 0]
            for answer in try Self.answers(lines) { counts[try #require(answer["token"]?.int)] += 1 }
            let total = counts.reduce(0, +)
            for (count, probability) in zip(counts, target) {
                // Five standard errors, and half a thousandth for the rounded shares of the pairs.
                let error = (probability * (1 - probability) / total).squareRoot()
                #expect(abs(count / total - probability) < 5 * error + 5e-4)
            }
            let bad = [
                line("without-replacement", [0, 0], "specinfer", 0), line("without-replacement", [0, 1], "kseq", 0),
                line("without-replacement", [0, 1, 2, 0], "specinfer", 0), line("greedy", [1, 2], "greedy", 0),
                line("sorted", [0, 1], "naive", 0), line("independent", [0, 1], "greedy", 0),
            ]
            for answer in try Self.answers(bad) { #expect(answer["error"]?.string?.isEmpty == false) }
            let greedy = try Self.answers((0..<20).map { line("greedy", [0, 2], "greedy", $0) })
            #expect(greedy.allSatisfy { $0["token"] != nil })
        }

        /// A decision is a function of its line: whatever stands beside it, and however many threads there are.
        @Test func decisionsDependOnTheirLineAlone() throws {
            let lines = (0..<60).map {
                "{\"target\": [0.6, 0.4], \"draft\": [0.1, 0.9], \"drafted\": [1], \"seed\": 5, \"position\": \($0 % 20), \"id\": \($0)}"
            }
            let one = try Self.answers(lines, ["--rule", "naive", "--threads", "1"])
            let many = try Self.answers(lines, ["--rule", "naive", "--threads", "4"])
            #expect(one == many && one.count == 60)
            for index in 0..<20 { #expect(one[index]["token"] == one[index + 40]["token"]) }
            #expect(Set(one.compactMap { $0["token"]?.int }).count == 2)
        }

        /// Scores and sparse laws say the same as the probabilities that follow from them.
        @Test func lawsComeInManyForms() throws {
            let forms = [
                "[0, 0.25, 0.75]", #"{"tokens": [2, 1], "probabilities": [0.75, 0.25], "vocabulary": 3}"#,
                #"{"logits": [-9, 0, 1.0986122886681098], "top_k": 2}"#,
                // 0, 0 and ln 3 in Float32, the first below the share of a twentieth.
                #"{"logits": [-9, 0, 1.0986122886681098], "min_p": 0.05}"#,
                #"{"logits": {"base64": "AAAQwQAAAACnn4w/"}, "top_p": 0.99}"#,
            ]
            let lines = forms.flatMap { form in
                (0..<20).map {
                    "{\"target\": [0.5, 0.5, 0], \"draft\": \(form), \"drafted\": [2], \"position\": \($0)}"
                }
            }
            let answers = try Self.answers(lines)
            for index in 20..<100 { #expect(answers[index] == answers[index % 20]) }
        }

        static let badLines = [
            "", "x", "[]", "{}", #"{"target": [1]}"#, #"{"target": [0.5, 0.4], "draft": [1, 0], "drafted": [0]}"#,
            #"{"target": [0.5, 0.5], "draft": [1, 0], "drafted": [1]}"#,
            #"{"target": [0.5, 0.5], "draft": [1, 0], "drafted": [2]}"#,
            #"{"target": [0.5, 0.5], "draft": [1, 0], "drafted": [-1]}"#,
            #"{"target": [0.5, 0.5], "draft": [1, 0, 0], "drafted": [0]}"#,
            #"{"target": [0.5, 0.5], "drafts": [[1, 0]], "drafted": [0, 0]}"#,
            #"{"target": [0.5, 0.5], "draft": [1, 0], "drafted": [0], "rule": "gumbel"}"#,
            #"{"target": [0.5, 0.5], "draft": [1, 0], "drafted": [0], "rule": "x"}"#,
            #"{"target": [0.5, 0.5], "draft": [1, 0], "drafted": [0], "seed": -1}"#,
            #"{"target": {"logits": [1, 2], "top_k": -1}, "draft": [1, 0], "drafted": [0]}"#,
            #"{"target": {"logits": [1, 2], "topk": 1}, "draft": [1, 0], "drafted": [0]}"#,
            #"{"target": {"logits": {"base64": "AA"}}, "draft": [1, 0], "drafted": [0]}"#,
            #"{"target": {"tokens": [1, 1], "probabilities": [0.5, 0.5], "vocabulary": 2}, "draft": [1, 0], "drafted": [0]}"#,
            #"{"target": {"tokens": [1], "probabilities": [1]}, "draft": [1, 0], "drafted": [0]}"#,
        ]

        @Test func badLinesAreAnswered() throws {
            let good = #"{"target": [0.5, 0.5], "draft": [0.5, 0.5], "drafted": [1], "id": 1}"#
            let found = try Self.answers(Self.badLines.flatMap { [$0, good] })
            try #require(found.count == 2 * Self.badLines.count)
            for (index, line) in Self.badLines.enumerated() {
                #expect(found[2 * index]["error"]?.string?.isEmpty == false, "\(line)")
                #expect(found[2 * index + 1]["token"] == .integer(1))
            }
        }

        @Test(arguments: [
            ["--rule", "gumbel"], ["--rule", "naive", "--target", "q.json"], ["--rule", "naive", "--threads", "0"],
        ])
        func usageErrors(_ options: [String]) throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(["couple", "--stream"] + options, in: folder)
                #expect(outcome.status == 64)
            }
        }

        /// The same laws in files: scores with what is made of them, beside the probabilities that follow.
        @Test func filesMayHoldScores() throws {
            try Program.inFolder { folder in
                func write(_ text: String, _ name: String) throws {
                    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
                }
                try write("[0, 0.25, 0.75]", "p.json")
                try write(#"{"logits": [-9, 0, 1.0986122886681098], "top_k": 2}"#, "p-logits.json")
                try write("[0.1, 0.5, 0.4]", "q.json")
                let results = try ["p.json", "p-logits.json"].map { draft in
                    let words = [
                        "couple", "--target", "q.json", "--draft-law", draft, "--drafts", "2", "--rule", "specinfer",
                    ]
                    let outcome = try Program.run(words + ["--json"], in: folder)
                    #expect(outcome.status == 0, "\(outcome.errors)")
                    return try JSON(parsing: outcome.output.utf8)
                }
                for key in ["acceptance", "optimum"] {
                    let numbers = try results.map { try #require($0[key]?.double) }
                    // The scores are single precision.
                    #expect(abs(numbers[0] - numbers[1]) < 1e-7)
                }
            }
        }
    }
}
