import Foundation
import Testing

extension CommandLineTests {
    @Suite("couple, decode, limit")
    struct FiniteCommandTests {
        static func inFolder(_ body: (URL) throws -> Void) throws {
            try Program.inFolder { folder in
                try writeInputs(in: folder)
                try body(folder)
            }
        }

        /// Two laws and a text.
        static func writeInputs(in folder: URL) throws {
            for (name, text) in [
                ("q.json", "[0.1, 0.25, 0.3, 0.05, 0.2, 0.1]"), ("p.json", "[0.3, 0.05, 0.15, 0.25, 0.2, 0.05]"),
                ("x.txt", String(repeating: "the cat sat on the mat. ", count: 8)),
            ] {
                try Data(text.utf8).write(to: folder.appendingPathComponent(name))
            }
        }

        static func json(_ words: [String], in folder: URL) throws -> [String: Any] {
            let outcome = try Program.run(words + ["--json"], in: folder)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
            return try #require(object as? [String: Any])
        }

        /// The result as JSON, without how long it took.
        static func result(_ words: [String], in folder: URL) throws -> [String: AnyHashable] {
            var result = try #require(try json(words, in: folder) as? [String: AnyHashable])
            for key in ["seconds", "tokens_per_second", "speedup", "autoregressive"] { result[key] = nil }
            return result
        }

        @Test func formerNamesOfOptionsKeepWorking() throws {
            try Self.inFolder { folder in
                let couple = ["couple", "--target", "q.json", "--rule", "kseq", "--drafts", "2"]
                let coupled = try Self.result(couple + ["--draft-law", "p.json", "--count", "50"], in: folder)
                #expect(coupled["empirical_l1"] != nil)
                #expect(try Self.result(couple + ["--draft", "p.json", "--samples", "50"], in: folder) == coupled)
                let limit = ["limit", "acceptance", "--target", "q.json"]
                #expect(
                    try Self.result(limit + ["--draft", "p.json"], in: folder)
                        == Self.result(limit + ["--draft-law", "p.json"], in: folder))
                let decode = ["decode", "--text", "x.txt", "--prompt", "the ", "--tokens", "40"]
                let tempered = try Self.result(decode + ["--token-temperature", "3"], in: folder)
                #expect(try Self.result(decode + ["--temperature", "3"], in: folder) == tempered)
                #expect(try Self.result(decode, in: folder) != tempered)
            }
        }

        /// Drafts of two laws, and drafts that are no draws of their own: the optimum counts them as they are.
        @Test func draftSchemes() throws {
            try Self.inFolder { folder in
                try Data("[0.05, 0.3, 0.05, 0.5, 0.05, 0.05]".utf8).write(to: folder.appendingPathComponent("p2.json"))
                let couple = ["couple", "--target", "q.json", "--draft-law", "p.json"]
                func number(_ key: String, _ words: [String]) throws -> Double {
                    try #require(try Self.json(couple + words, in: folder)[key] as? Double)
                }
                for words in [
                    ["--draft-law", "p2.json", "--rule", "max-flow"],
                    ["--drafts", "3", "--draft-scheme", "greedy", "--rule", "greedy"],
                    ["--drafts", "3", "--draft-scheme", "without-replacement", "--rule", "canonical"],
                ] {
                    #expect(abs(try number("acceptance", words) - number("optimum", words)) < 1e-9, "\(words)")
                    #expect(try number("output_law_l1", words) < 1e-9)
                }
                let distinct = ["--drafts", "3", "--draft-scheme", "without-replacement", "--rule", "specinfer"]
                #expect(try number("output_law_l1", distinct) < 1e-9)
                for words in [
                    ["--drafts", "2", "--draft-scheme", "without-replacement", "--rule", "kseq"],
                    ["--draft-law", "p2.json", "--drafts", "3", "--rule", "naive"],
                    ["--draft-law", "p2.json", "--draft-scheme", "greedy", "--rule", "naive"],
                    ["--draft-scheme", "x", "--rule", "naive"],
                ] {
                    #expect(try Program.run(couple + words, in: folder).status == 64, "\(words)")
                }
            }
        }

        @Test func reportsHoldWhatJSONPrints() throws {
            try Self.inFolder { folder in
                for words in [
                    ["limit", "acceptance", "--distance", "1"], ["limit", "metaconverse", "--bsc", "0.1"],
                    ["decode", "--text", "x.txt", "--pairs", "3"],
                ] {
                    let printed = try Program.run(words + ["--json", "--report", "r.json"], in: folder)
                    #expect(printed.status == 0, "\(printed.errors)")
                    let written = try String(contentsOf: folder.appendingPathComponent("r.json"), encoding: .utf8)
                    #expect(printed.output == written)
                    let quiet = try Program.run(words + ["--quiet"], in: folder)
                    #expect(quiet.status == 0 && quiet.output.isEmpty)
                }
            }
        }

        /// α* of these laws is `1 - D_TV = 0.1 + 0.05 + 0.15 + 0.05 + 0.2 + 0.05` for one draft, in closed form.
        @Test func oneDraftIsAcceptedAsOftenAsTheLawsOverlap() throws {
            try Self.inFolder { folder in
                let result = try Self.result(
                    ["couple", "--target", "q.json", "--draft-law", "p.json", "--rule", "maximal"], in: folder)
                let acceptance = try #require(result["acceptance"] as? Double)
                // Sums of six numbers below one: a few units of 2⁻⁵³.
                #expect(abs(acceptance - 0.6) < 1e-14)
                let limit = try Self.result(
                    ["limit", "acceptance", "--target", "q.json", "--draft-law", "p.json"], in: folder)
                #expect(abs(try #require(limit["optimum"] as? Double) - 0.6) < 1e-14)
            }
        }

        /// The numbers that are printed: of a two-letter target the law and acceptance are known, and where there is none to print
        /// it is null.
        @Test func coupledNumbersAreComputedOrNull() throws {
            try Self.inFolder { folder in
                for rule in ["maximal", "kseq", "specinfer", "importance", "lp", "max-flow", "global-resolution"] {
                    let words = [
                        "couple", "--target", "q.json", "--draft-law", "p.json", "--rule", rule, "--drafts", "1",
                    ]
                    let result = try Self.result(words, in: folder)
                    #expect(abs(try #require(result["acceptance"] as? Double) - 0.6) < 1e-9, "\(rule)")
                    #expect(try #require(result["output_law_l1"] as? Double) < 1e-9, "\(rule)")
                }
                for rule in ["gumbel", "minhash", "low-communication"] {
                    let words = ["couple", "--target", "q.json", "--draft-law", "p.json", "--rule", rule]
                    let result = try Self.result(words + ["--count", "4000"], in: folder)
                    #expect(result["output_law_l1"] is NSNull, "\(rule)")
                    // (1 - D_TV)/(1 + D_TV) at least, and not beyond the overlap.
                    let acceptance = try #require(result["acceptance"] as? Double)
                    #expect(acceptance >= 0.6 / 1.4 - 1e-3 && acceptance <= 0.6 + 1e-12, "\(rule)")
                    // The mean of the L1 distance of 4,000 draws from six tokens is 0.028, its deviation 0.008.
                    #expect(try #require(result["empirical_l1"] as? Double) < 0.08, "\(rule)")
                }
                // Two thousand tokens and two drafts, solved within the tolerance only: too many tuples to enumerate.
                let zipf = (1...3000).map { pow(Double($0), -1.1) }
                let sum = zipf.reduce(0, +)
                let law = zipf.map { $0 / sum }
                for (name, law) in [("large-q.json", law), ("large-p.json", law.reversed())] {
                    try JSONEncoder().encode(Array(law)).write(to: folder.appendingPathComponent(name))
                }
                let large = try Self.result(
                    [
                        "couple", "--target", "large-q.json", "--draft-law", "large-p.json", "--rule",
                        "global-resolution", "--drafts", "2", "--tolerance", "0.2",
                    ], in: folder)
                #expect(large["exact"] as? Bool == false)
                #expect(large["acceptance"] is NSNull && large["output_law_l1"] is NSNull)
            }
        }

        /// Of a binary symmetric channel used once two words have error δ; of an erasure channel e/2.
        @Test func limitsAreTheClosedForms() throws {
            try Self.inFolder { folder in
                let symmetric = try Self.json(
                    ["limit", "metaconverse", "--bsc", "0.11", "--bits", "1"], in: folder)
                #expect(abs(try #require(symmetric["error"] as? Double) - 0.11) < 1e-12)
                let erasure = try Self.json(["limit", "metaconverse", "--bec", "0.3", "--bits", "1"], in: folder)
                #expect(abs(try #require(erasure["error"] as? Double) - 0.15) < 1e-12)
                let laws = try #require(erasure["input_law"] as? [[String: Any]])
                #expect(laws.count == 1 && laws[0]["probability"] as? Double == 1)
                // 2Φ(-1/2).
                let gaussian = try Self.json(["limit", "acceptance", "--distance", "1"], in: folder)
                #expect(abs(try #require(gaussian["optimum"] as? Double) - 0.617_075_077_451_973_8) < 1e-12)
            }
        }

        /// So many tokens in so many calls, never fewer than one token a call, nor more than the drafts and one.
        @Test func decodingCountsCalls() throws {
            try Self.inFolder { folder in
                let result = try Self.json(
                    ["decode", "--text", "x.txt", "--prompt", "the ", "--tokens", "40", "--lookahead", "4"], in: folder)
                let calls = try #require(result["target_calls"] as? Double)
                #expect(calls >= 40.0 / 5 && calls <= 40)
                #expect(abs(try #require(result["block_efficiency"] as? Double) - 40 / calls) < 1e-12)
                let acceptance = try #require(result["acceptance"] as? Double)
                #expect(acceptance > 0 && acceptance <= 1)
                #expect(result["exact"] as? Bool == true && result["tokens"] as? Int == 40)
                let plain = try #require(result["autoregressive"] as? [String: Any])
                #expect(plain["target_calls"] as? Int == 40 && plain["rule"] as? String == "autoregressive")
                let speeds = [result, plain].compactMap { $0["tokens_per_second"] as? Double }
                #expect(speeds.count == 2 && speeds.allSatisfy { $0 > 0 })
            }
        }
    }
}
