import ArgumentParser
import Jobs
import Platform
import Reports

/// Where a result goes: every command prints it for people, or as JSON with `--json`, and writes it as JSON with
/// `--report` and as a page with `--html`.
struct ResultOptions: ParsableArguments {
    @Flag(help: "Print the result as JSON.")
    var json = false

    @Option(help: .init("File for the result, JSON.", valueName: "file"))
    var report: String?

    @Option(
        help: .init(
            "File for a page with figures of the result, which needs nothing else: HTML for any browser.",
            valueName: "page.html"))
    var html: String?

    @Flag(help: "Print nothing but errors, and what --json asks for.")
    var quiet = false

    var console: Console { Console(isQuiet: quiet) }

    /// Finds out before the work whether the results can be written.
    func check(tables: [String?] = [], pictures: [String?] = [], tensors: [String?] = []) throws {
        try OutputError.checkWritable(documents: [report, html] + tables, pictures: pictures, tensors: tensors)
    }

    func show(_ result: some RunResult) throws {
        if let report { try result.writeJSON(to: report) }
        if let html { try result.writePage(to: html, command: ShellCommand.typed) }
        if json {
            print(try result.jsonText())
        } else if !quiet {
            print(result.text.wrapped(to: Terminal.output.width))
        }
    }
}
