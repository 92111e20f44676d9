import ArgumentParser

/// What somebody meant who mistyped a command, an option or a value: ArgumentParser knows of options that look alike, and of nothing
/// else.
struct Suggestion {
    /// The command line without the program's name.
    let arguments: [String]

    /// What other programs call an option, or people by heart.
    private static let synonyms = [
        "count": [
            "n", "num", "number", "samples", "num-samples", "chain", "chains", "particles", "trajectories", "runs",
            "size",
        ],
        "steps": ["num-steps", "inference-steps", "num-inference-steps", "k", "iterations"],
        "out": ["o", "output", "plot", "png", "picture", "image"], "window": ["l", "window-size", "lookahead"],
        "churn": ["eta", "epsilon", "eps"], "seed": ["random-seed", "random-state", "s"],
        "class": ["label", "classes", "class-name"], "guidance": ["guidance-scale", "cfg", "cfg-scale"],
        "threads": ["cores", "jobs", "j", "workers"], "model": ["model-name", "model-path", "checkpoint", "m"],
        "batch": ["batch-size", "lanes"], "report": ["json-file", "report-file"], "html": ["page", "report-html"],
        "step": ["step-size", "lr", "gamma"], "quiet": ["silent", "q"],
    ]

    /// The message of an error, with what was probably meant.
    func improving(_ message: String) -> String {
        var lines = message.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.first else { return message }
        if let word = Self.quoted(after: "Unexpected argument ", in: first) {
            guard word == arguments.first, let name = Self.nearest(to: word, among: Self.names(of: DiffSpec.self))
            else {
                return message
            }
            lines[0] = first + ". Did you mean '\(name)'?"
        } else if let option = Self.quoted(after: "Unknown option ", in: first) {
            let bare = String(option.drop { $0 == "-" })
            guard let meant = Self.synonyms.first(where: { $0.value.contains(bare) })?.key, has(option: meant) else {
                return message
            }
            lines[0] = "Error: Unknown option '\(option)'. Did you mean '--\(meant)'?"
        } else if let value = Self.quoted(after: "The value ", in: first), lines.count > 1 {
            let known = lines[1].split(separator: "\n").prefix { $0.hasPrefix("  - ") }.map { String($0.dropFirst(4)) }
            guard let meant = Self.nearest(to: value, among: known) else { return message }
            lines[0] = first.replacing("Please provide", with: "Did you mean '\(meant)'? Please provide")
        }
        return lines.joined(separator: "\n")
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] {
        command.configuration.subcommands.map { $0._commandName }
    }

    /// Whether the command that was typed has such an option.
    private func has(option: String) -> Bool {
        var command: any ParsableCommand.Type = DiffSpec.self
        for argument in arguments {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == argument }) else {
                break
            }
            command = next
        }
        return command.helpMessage(columns: 1000).contains("--\(option) ")
    }

    /// The word between quotation marks behind a text.
    private static func quoted(after text: String, in line: String) -> String? {
        guard let start = line.firstRange(of: text + "'") else { return nil }
        let rest = line[start.upperBound...]
        return rest.firstIndex(of: "'").map { String(rest[..<$0]) }
    }

    /// nil where nothing looks alike.
    private static func nearest(to word: String, among known: [String]) -> String? {
        let nearest = known.map { ($0, distance(word.lowercased(), $0.lowercased())) }.min { $0.1 < $1.1 }
        return nearest.flatMap { $0.1 <= max(1, word.count / 3) ? $0.0 : nil }
    }

    /// Letters to add, leave out, change or exchange with the next (optimal string alignment). Long words look like nothing.
    private static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.prefix(64)), Array(b.prefix(64)))
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var least = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
