import Foundation
import Imaging
import Platform
import Reports

/// A page as one HTML file that needs no other: light or dark as the reader's system is, for wide and for narrow windows. Whatever
/// a user gave is text in it and never markup.
struct PageDocument {
    let page: Page
    /// As a shell reads it.
    let command: String
    let machine: Machine
    /// JSON, for programs.
    let report: String

    /// A longer report is left to `--report`.
    private static let longestReport = 4 << 20

    func html() throws -> String {
        let title = "\(page.title) · diffspec".escapedForMarkup
        let sections = try page.sections.map(html).joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="diffspec \(Version.current)">
            <title>\(title)</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <main>
            <h1>\(page.title.escapedForMarkup)</h1>
            \(facts)
            \(sections)
            <section>
            <h2>How to repeat it</h2>
            <pre><code>\(command.escapedForMarkup)</code></pre>
            \(Self.html(machine.table))
            </section>
            </main>
            \(embeddedReport)
            </body>
            </html>

            """
    }

    private var facts: String {
        guard !page.facts.isEmpty else { return "" }
        let items = page.facts.map {
            "<div><dt>\($0.name.escapedForMarkup)</dt><dd>\($0.value.escapedForMarkup)</dd></div>"
        }
        return "<dl class=\"facts\">\n\(items.joined(separator: "\n"))\n</dl>"
    }

    /// The numbers themselves. A script's text ends at the first `</`, whatever it is part of, so that JSON's own escape stands for `<`.
    private var embeddedReport: String {
        guard report.utf8.count <= Self.longestReport else { return "" }
        let text = report.replacingOccurrences(of: "<", with: "\\u003c")
        return "<script type=\"application/json\" id=\"report\">\n\(text)\n</script>"
    }

    private func html(_ section: Page.Section) throws -> String {
        let note = section.note.isEmpty ? "" : "\n<p>\(section.note.escapedForMarkup)</p>"
        let contents = try section.contents.map(Self.html).joined(separator: "\n")
        return "<section>\n<h2>\(section.title.escapedForMarkup)</h2>\(note)\n\(contents)\n</section>"
    }

    private static func html(_ content: Page.Content) throws -> String {
        switch content {
        case .figure(let figure):
            // Letters of one size, in a wide window and in a telephone's.
            let (wide, narrow) =
                switch figure.shape {
                case .wide: ((860, 430), (358, 320))
                case .square: ((600, 600), (358, 358))
                case .flat: ((860, 260), (358, 230))
                }
            return """
                <figure class="wide" style="max-width:\(wide.0)px">\(figure.svg(width: wide.0, height: wide.1))</figure>
                <figure class="narrow">\(figure.svg(width: narrow.0, height: narrow.1))</figure>
                """
        case .smallFigures(let figures):
            let items = figures.map { "<figure>\($0.svg(width: 358, height: 230))</figure>" }
            return "<div class=\"multiples\">\n\(items.joined(separator: "\n"))\n</div>"
        case .picture(let picture, let description):
            let data = try picture.pngData().base64EncodedString()
            return
                "<figure><img src=\"data:image/png;base64,\(data)\" width=\"\(picture.width)\" height=\"\(picture.height)\" alt=\"\(description.escapedForMarkup)\"></figure>"
        case .table(let table): return html(table)
        case .text(let text): return html(text)
        }
    }

    private static func html(_ table: Page.Table) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\($0.escapedForMarkup)</\(tag)>" }.joined() + "</tr>"
        }
        let head = table.head.isEmpty ? "" : "<thead>\(row(table.head, "th"))</thead>\n"
        let body = table.rows.map { row($0, "td") }.joined(separator: "\n")
        return "<div class=\"scroll\"><table>\n\(head)<tbody>\n\(body)\n</tbody>\n</table></div>"
    }

    /// Lines between bars are tables, their second line is Markdown's rule.
    private static func html(_ text: String) -> String {
        var (parts, plain, rows) = ([String](), [String](), [[String]]())
        func finishPlain() {
            let text = plain.joined(separator: "\n").trimmingCharacters(in: .newlines)
            if !text.isEmpty { parts.append("<pre>\(text.escapedForMarkup)</pre>") }
            plain = []
        }
        func finishTable() {
            guard let head = rows.first else { return }
            let body = rows.dropFirst().filter {
                !$0.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 == "-" || $0 == ":" } }
            }
            parts.append(html(Page.Table(head, Array(body))))
            rows = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("|"), line.hasSuffix("|"), line.count > 1 {
                finishPlain()
                rows.append(
                    line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map {
                        $0.trimmingCharacters(in: .whitespaces)
                    })
            } else {
                finishTable()
                plain.append(String(line))
            }
        }
        finishTable()
        finishPlain()
        return parts.joined(separator: "\n")
    }

    private static let style = """
        :root{--ground:#fff;--raised:#f5f6f8;--ink:#1c2026;--muted:#58606a;--faint:#bcc2ca;--grid:#e2e5e9;
        --s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#b85a90;--s4:#3a9bd9;--s5:#c98a00;--s6:#6e5028}
        @media(prefers-color-scheme:dark){:root{--ground:#14171c;--raised:#1e232a;--ink:#e8eaed;--muted:#a2abb6;--faint:#57606c;--grid:#333a44;
        --s0:#5ab4f0;--s1:#ff8d4a;--s2:#3fcf9f;--s3:#e89bc9;--s4:#93cdf3;--s5:#f5be4b;--s6:#c9a87c}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        main{max-width:900px;margin:0 auto;padding:24px 20px 64px}
        h1{font-size:1.6rem;line-height:1.25;margin:0 0 20px;overflow-wrap:anywhere}
        h2{font-size:1.15rem;margin:0 0 8px}
        section{margin-top:40px}
        section>p{color:var(--muted);margin:0 0 12px;max-width:70ch}
        .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:10px;margin:0}
        .facts div{background:var(--raised);border-radius:8px;padding:12px 14px;min-width:0}
        .facts dt{color:var(--muted);font-size:.85rem;line-height:1.3}
        .facts dd{margin:2px 0 0;font-size:1.35rem;font-weight:600;line-height:1.3;overflow-wrap:anywhere}
        figure{margin:0 0 12px}
        .multiples figure{max-width:400px}
        svg{display:block;width:100%;height:auto;font-family:inherit}
        .narrow{display:none}
        .multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:12px 20px}
        img{display:block;max-width:100%;height:auto;image-rendering:pixelated;background:#fff;border-radius:4px}
        .scroll{overflow-x:auto;margin:0 0 12px}
        table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
        th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--grid);unicode-bidi:isolate}
        thead+tbody td{white-space:nowrap}
        th{color:var(--muted);font-weight:600}
        pre{background:var(--raised);border-radius:8px;padding:12px 14px;margin:0 0 12px;white-space:pre-wrap;overflow-wrap:anywhere;font:13.5px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;unicode-bidi:isolate}
        @media(max-width:640px){.wide{display:none}.narrow{display:block}main{padding:16px 16px 48px}h1{font-size:1.3rem}.facts{grid-template-columns:repeat(2,1fr)}.facts dd{font-size:1.15rem}}
        @media print{section{break-inside:avoid}}
        """
}

extension RunResult {
    /// Writes its page, which appears whole or not at all.
    /// - Parameter command: that was typed, as a shell reads it.
    public func writePage(to path: String, command: String) throws {
        let document = PageDocument(page: page, command: command, machine: .this, report: try jsonText())
        try AtomicFile.write(Array(document.html().utf8), to: path)
    }
}
