import Foundation
import Testing

extension CommandLineTests {
    /// One rule in all commands: samples fall back unless they are told not to, and what a command finds out says which.
    @Suite("Fallback is in every report")
    struct FallbackReportTests {
        private static let model = ["--model", "fashion-mnist-draft"]
        static let commands: [[String]] = [
            ["sample"] + model + ["--steps", "6", "--window", "3", "--count", "1", "--json", "--out", "s.png"],
            ["compare"] + model + ["--steps", "6", "--window", "3", "--count", "2", "--json"],
            ["plan"] + model + ["--steps", "6", "--all-windows", "3", "--all-drafts", "recycled", "--json"],
            ["sweep"] + model + [
                "--steps", "6", "--count", "1", "--all-churn", "1", "--all-temperatures", "1", "--all-drafts",
                "recycled",
                "--json",
            ],
            ["mixture", "--steps", "6", "--count", "4", "--json"],
            ["langevin", "--steps", "20", "--tail", "5", "--chains", "1", "--json"],
        ]

        /// The values of `fallback` anywhere in an answer.
        private static func fallbacks(in value: Any) -> [Bool] {
            if let object = value as? [String: Any] {
                return object.flatMap { key, value in
                    key == "fallback" ? [value as? Bool].compactMap { $0 } : fallbacks(in: value)
                }
            }
            return (value as? [Any])?.flatMap { fallbacks(in: $0) } ?? []
        }

        @Test(arguments: commands)
        func reportsSayWhetherSamplesFallBack(command: [String]) throws {
            try Program.inFolder { folder in
                func found(_ options: [String]) throws -> [Bool] {
                    let outcome = try Program.run(command + options, in: folder)
                    try #require(outcome.status == 0, "\(outcome.errors)")
                    return Self.fallbacks(in: try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)))
                }
                #expect(try found([]).contains(true))
                let without = try found(["--no-fallback"])
                #expect(!without.isEmpty && !without.contains(true))
            }
        }

        @Test func plansSayItToo() throws {
            try PolicyCommandTests.inFolder { folder in
                for (options, expected) in [([], true), (["--no-fallback"], false), (["--draft", "none"], false)] {
                    let answer = try PolicyCommandTests.answers(
                        ["{\"observation\": \(PolicyCommandTests.observation)}"], PolicyCommandTests.options + options,
                        in: folder)[0]
                    #expect(answer["fallback"] == .bool(expected), "\(options)")
                }
            }
        }
    }
}
