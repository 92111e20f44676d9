import Foundation
import Testing

@testable import Imaging

extension CommandLineTests {
    @Suite struct PageTests {
        private static let model = ["--model", "fashion-mnist", "--steps", "12"]

        private static func page(_ arguments: [String], in folder: URL) throws -> String {
            let outcome = try Program.run(arguments + ["--html", "page.html"], in: folder)
            try #require(outcome.status == 0, "\(outcome.errors)")
            return try String(contentsOf: folder.appendingPathComponent("page.html"), encoding: .utf8)
        }

        /// What every page has, and nothing that a browser would fetch.
        private static func expectWhole(_ page: String, figures: Int) throws {
            #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
            #expect(page.contains("prefers-color-scheme:dark") && page.contains("name=\"viewport\""))
            #expect(page.contains("How to repeat it") && page.contains("processor"))
            #expect(page.components(separatedBy: "<svg ").count - 1 >= figures)
            for word in ["http:", "https:", "src=\"/", "url(", "<link", "@import"] {
                #expect(!page.contains(word), "\(word)")
            }
            let report = try #require(
                page.components(separatedBy: "id=\"report\">").last?.components(separatedBy: "</script>").first)
            _ = try JSONSerialization.jsonObject(with: Data(report.utf8), options: .fragmentsAllowed)
        }

        @Test func samplesHaveAPage() throws {
            try Program.inFolder { folder in
                let page = try Self.page(
                    ["sample"] + Self.model + ["--count", "3", "--window", "5", "--seed", "7"], in: folder)
                // Bars and acceptance twice, wide and narrow; a timeline for each sample.
                try Self.expectWhole(page, figures: 2 * 2 + 3)
                #expect(page.contains("<img src=\"data:image/png;base64,"))
                #expect(page.contains("--steps 12 --count 3 --window 5 --seed 7 --html page.html"))
                for words in ["Acceptance by step", "Windows, one after the other", "Sample 2:", "calls, plain"] {
                    #expect(page.contains(words), "\(words)")
                }
            }
        }

        @Test func comparisonsHaveAPage() throws {
            try Program.inFolder { folder in
                let page = try Self.page(["compare"] + Self.model + ["--count", "2"], in: folder)
                try Self.expectWhole(page, figures: 2 * 2 + 2)
                #expect(page.contains("Plain samples") && page.contains("Speculative samples"))
            }
        }

        @Test(arguments: [
            (["survival", "--model", "fashion-mnist", "--steps", "12", "--horizon", "3", "--count", "4"], 2),
            (
                [
                    "sweep", "--model", "fashion-mnist", "--steps", "8", "--all-churn", "0.5,1", "--all-temperatures",
                    "1",
                    "--all-drafts", "frozen,recycled", "--count", "2",
                ], 2
            ),
            (
                [
                    "plan", "--model", "fashion-mnist", "--steps", "8", "--all-windows", "4", "--count", "1",
                    "--workers", "1,4",
                ], 2
            ),
            (["langevin", "--steps", "50", "--count", "3"], 2), (["mixture", "--steps", "20", "--count", "50"], 2),
            (["mixture", "--figure", ".", "--steps", "20", "--count", "2"], 4),
            (["verify", "--count", "1000", "--group", "meeting", "--level", "1e-9"], 2), (["models"], 0),
        ])
        func everyCommandHasAPage(arguments: [String], figures: Int) throws {
            try Program.inFolder { folder in
                // A suite of so few samples may fail to catch a wrong rule, and has a page all the same.
                _ = try Program.run(arguments + ["--html", "page.html"], in: folder)
                let page = try String(contentsOf: folder.appendingPathComponent("page.html"), encoding: .utf8)
                try Self.expectWhole(page, figures: figures)
            }
        }

        /// What a user gives is text, in the page's words and in its report.
        @Test func namesAreEscaped() throws {
            try Program.inFolder { folder in
                let name = "<img src=x onerror=alert(1)>&\"'"
                let model = folder.appendingPathComponent(name)
                let bundled = Program.repository.appendingPathComponent("weights/fashion-mnist")
                try FileManager.default.createSymbolicLink(at: model, withDestinationURL: bundled)
                let page = try Self.page(
                    ["sample", "--model", "./\(name)", "--steps", "4", "--count", "1", "--draft", "none"], in: folder)
                #expect(!page.contains("<img src=x"))
                #expect(page.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;"))
                try Self.expectWhole(page, figures: 2)
            }
        }

        @Test func aPageThatCannotBeWrittenIsNoticedFirst() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(["models", "--html", "no/such/page.html"], in: folder)
                #expect(outcome.status == 1 && outcome.errors.contains("there is no folder"))
            }
        }

        private static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }

        /// A browser shows it: on a telephone and on a desk, by day and by night.
        @Test(.enabled(if: browser != nil), arguments: [(390, false), (390, true), (1200, false), (1200, true)])
        func browsersShowIt(width: Int, isDark: Bool) throws {
            try Program.inFolder { folder in
                _ = try Self.page(["langevin", "--steps", "200", "--count", "4"], in: folder)
                let process = Process()
                process.executableURL = URL(fileURLWithPath: try #require(Self.browser))
                process.currentDirectoryURL = folder
                process.arguments =
                    [
                        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        "--force-device-scale-factor=1",
                        "--user-data-dir=\(folder.path)/profile", "--window-size=\(width),1400",
                        "--screenshot=\(folder.path)/page.png",
                    ] + (isDark ? ["--blink-settings=preferredColorScheme=0"] : []) + [
                        folder.appendingPathComponent("page.html").absoluteString
                    ]
                (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
                try process.run()
                process.waitUntilExit()
                let path = folder.appendingPathComponent("page.png").path
                let data = try Data(contentsOf: URL(fileURLWithPath: path))
                let image = try Image(png: data, width: width, height: 1400, channels: 3, path: path)
                func counts(_ colour: (Int, Int, Int)) -> Int {
                    stride(from: 0, to: image.bytes.count, by: 3).count {
                        Int(image.bytes[$0]) == colour.0 && Int(image.bytes[$0 + 1]) == colour.1
                            && Int(image.bytes[$0 + 2]) == colour.2
                    }
                }
                // The page's ground, and the curve of the recycled draft.
                #expect(counts(isDark ? (0x14, 0x17, 0x1C) : (255, 255, 255)) > width * 700)
                #expect(counts(isDark ? (0x5A, 0xB4, 0xF0) : (0x00, 0x72, 0xB2)) > 100)
            }
        }
    }
}
