import Foundation
import Testing

@testable import Commands

extension CommandLineTests {
    @Suite struct TerminalTests {
        @Test func textIsBrokenBelowItsBeginning() {
            let text = "  NFE          12.2 a sample (11 to 14), 100 by plain sampling: 8.2 times fewer"
            let lines = text.wrapped(to: 40).split(separator: "\n")
            #expect(lines.allSatisfy { $0.count <= 40 } && lines.count == 3)
            #expect(
                lines[0].hasPrefix("  NFE          12.2")
                    && lines[1].hasPrefix(String(repeating: " ", count: 15) + "100"))
            #expect(text.wrapped(to: nil) == text && "".wrapped(to: 20) == "" && "a\n\nb".wrapped(to: 20) == "a\n\nb")
            // A word that is longer than the line has a line of its own.
            let long = String(repeating: "x", count: 50)
            #expect("a \(long) b".wrapped(to: 20) == "a\n\(long)\nb")
        }

        /// As they are where they have room; with broken heads; as paragraphs.
        @Test func tablesHaveRoom() {
            let table =
                "title\n\n| k | P(τ > k), filter | steps decided by a window |\n|---|---|---|\n| 1 | 1.000 | 1.00 |\n| 10 |  | 2.00 |\n\nend"
            #expect(table.wrapped(to: 60) == table)
            let columns = table.wrapped(to: 30).split(separator: "\n", omittingEmptySubsequences: false)
            #expect(columns.allSatisfy { $0.count <= 30 } && columns.first == "title" && columns.last == "end")
            #expect(
                columns.contains { $0.hasPrefix("1   1.000") && $0.contains("1.00") }
                    && !columns.contains { $0.contains("|") })
            let paragraphs = table.wrapped(to: 14)
            #expect(
                paragraphs.contains("- k 1, P(τ >\n") && paragraphs.contains("- k 10, steps")
                    && !paragraphs.contains("|"))
            #expect(paragraphs.split(separator: "\n").allSatisfy { $0.count <= 14 })
        }

        /// As much as there is room for, at any width.
        @Test(arguments: [10, 20, 30, 59, 79, 200])
        func progressHasRoom(columns: Int) {
            for title in ["sweep", "animating: speculative"] {
                var progress = Progress(title, total: 100)
                progress.update(done: 40) { _ in "12 of 36 cells, 1234 steps/s" }
                let line = progress.line(columns: columns)
                #expect(line.count <= columns && !line.contains("\n"))
                if columns >= 59 { #expect(line.contains("40 %") && line.contains("left")) }
            }
            let unknown = Progress("decoding", total: 0).line(columns: columns)
            #expect(unknown.count <= columns && !unknown.contains("%"))
        }

        @Test(arguments: [
            (["samle"], "Did you mean 'sample'?"), (["comapre"], "Did you mean 'compare'?"),
            (["langevin", "--chain", "4"], "Did you mean '--count'?"),
            (["sample", "--n", "4"], "Did you mean '--count'?"),
            (["sample", "--num-steps", "4"], "Did you mean '--steps'?"),
            (["compare", "--conut", "4"], "Did you mean '--count'?"),
            (["compare", "--draft", "recyled"], "Did you mean 'recycled'?"),
        ])
        func whatWasMeantIsSaid(arguments: [String], words: String) throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(arguments, in: folder)
                #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
                #expect(outcome.errors.hasPrefix("Error: ") && outcome.output.isEmpty)
            }
        }

        /// Words that look like nothing known have no suggestion.
        @Test func nothingIsSuggestedForStrangeWords() throws {
            try Program.inFolder { folder in
                for arguments in [["xyzzy"], ["sample", "--xyzzy", "1"], ["sample", "foo"]] {
                    let outcome = try Program.run(arguments, in: folder)
                    #expect(!outcome.errors.contains("Did you mean"))
                }
            }
        }

        @Test func fewPairsAreNoTest() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["compare", "--model", "fashion-mnist", "--steps", "6", "--count", "1"], in: folder)
                #expect(outcome.output.contains("1 sample") && outcome.output.contains("over 1 pair; so few"))
                #expect(!outcome.output.contains("1 samples") && !outcome.output.contains("1 pairs"))
            }
        }
    }

    @Suite struct SweepTests {
        private static let sweep = [
            "sweep", "--model", "fashion-mnist", "--steps", "12", "--all-churn", "0.25,1", "--all-temperatures", "1",
            "--all-drafts", "frozen,recycled", "--count", "2", "--quiet", "--csv", "t.csv",
        ]

        private static func table(_ folder: URL) throws -> String {
            try String(contentsOf: folder.appendingPathComponent("t.csv"), encoding: .utf8)
        }

        /// What was measured before is taken over, and the table becomes that of a sweep without a break.
        @Test func sweepsAreResumed() throws {
            try Program.inFolder { folder in
                try #require(try Program.run(Self.sweep, in: folder).status == 0)
                let whole = try Self.table(folder)
                let lines = whole.split(separator: "\n").map(String.init)
                try #require(lines.count == 5)
                // One cell is missing, and one says what was never measured: it is believed.
                var fields = lines[2].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                fields[5] = "99.5"
                let begun =
                    [lines[0], fields.joined(separator: ","), lines[3], lines[4]].joined(separator: "\n") + "\n"
                try begun.write(to: folder.appendingPathComponent("t.csv"), atomically: true, encoding: .utf8)
                let outcome = try Program.run(Self.sweep + ["--resume"], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                #expect(
                    try Self.table(folder)
                        == whole.replacingOccurrences(of: lines[2], with: fields.joined(separator: ",")))
            }
        }

        @Test func otherSweepsAreRefused() throws {
            try Program.inFolder { folder in
                try #require(try Program.run(Self.sweep, in: folder).status == 0)
                let whole = try Self.table(folder)
                for (change, words) in [
                    (["--seed", "1"], "its seed is 0"), (["--class", "Bag"], "its job is"),
                    (["--count", "3"], "its count is 2"),
                ] {
                    let outcome = try Program.run(Self.sweep + change + ["--resume"], in: folder)
                    #expect(
                        outcome.status == 1 && outcome.errors.contains(words) && outcome.errors.contains("t.csv"),
                        "\(outcome.errors)")
                }
                #expect(try Self.table(folder) == whole)
                for text in ["", "a,b\n", whole + "1,2\n", whole.replacingOccurrences(of: "true", with: "maybe")] {
                    try text.write(to: folder.appendingPathComponent("t.csv"), atomically: true, encoding: .utf8)
                    let outcome = try Program.run(Self.sweep + ["--resume"], in: folder)
                    #expect(
                        outcome.status == 1 && outcome.errors.hasPrefix("error: t.csv: cannot read"),
                        "\(outcome.errors)")
                }
                let withoutTable = try Program.run(["sweep", "--resume"], in: folder)
                #expect(withoutTable.status == 64)
            }
        }

        /// A sweep that is ended leaves the cells that it measured, and says how to go on.
        @Test func endedSweepsLeaveTheirCells() throws {
            try Program.inFolder { folder in
                let cells = { (try? Self.table(folder).split(separator: "\n").count - 1) ?? 0 }
                let outcome = try Program.run(
                    Self.sweep + ["--all-windows", "2,3,4,5,6,7,8,9,10,11"], in: folder, endedBy: SIGINT,
                    when: { cells() >= 1 })
                try #require(outcome.status == 130)
                #expect(outcome.errors.contains("of 40 cells are in t.csv") && outcome.errors.contains("--resume"))
                #expect((1..<40).contains(cells()))
                #expect(try Program.files(in: folder) == ["t.csv"])
            }
        }
    }
}
