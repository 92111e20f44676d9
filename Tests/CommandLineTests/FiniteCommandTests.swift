import Foundation
import Testing

extension CommandLineTests {
    @Suite("couple, decode, limit")
    struct FiniteCommandTests {
        static func inFolder(_ body: (URL) throws -> Void) throws {
            try Program.inFolder { folder in
                for (name, text) in [
                    ("q.json", "[0.1, 0.25, 0.3, 0.05, 0.2, 0.1]"), ("p.json", "[0.3, 0.05, 0.15, 0.25, 0.2, 0.05]"),
                    ("x.txt", String(repeating: "the cat sat on the mat. ", count: 8)),
                ] {
                    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
                }
                try body(folder)
            }
        }

        /// The result as JSON, without how long it took.
        static func result(_ words: [String], in folder: URL) throws -> [String: AnyHashable] {
            let outcome = try Program.run(words + ["--json"], in: folder)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
            var result = try #require(object as? [String: AnyHashable])
            result["seconds"] = nil
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
    }
}
