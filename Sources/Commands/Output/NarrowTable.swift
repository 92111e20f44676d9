/// A table in Markdown for a terminal that is narrower than its lines: its heads broken between words, or, where even that has no
/// room, a paragraph for each row.
struct NarrowTable {
    private let head: [String]
    private let rows: [[String]]

    /// - Parameter lines: between bars; the second is Markdown's rule.
    init(_ lines: [Substring]) {
        let cells = lines.map { line in
            line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map {
                String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
        }
        head = cells.first ?? []
        rows = cells.dropFirst().filter { !$0.allSatisfy { !$0.isEmpty && $0.allSatisfy { "-:".contains($0) } } }
    }

    func lines(width: Int) -> [String] { columns(width: width) ?? paragraphs(width: width) }

    private static let gap = "  "

    /// nil where there is no room.
    private func columns(width: Int) -> [String]? {
        var widths = head.indices.map { column in
            let words = head[column].split(separator: " ").map(\.count)
            return max(1, words.max() ?? 0, rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0)
        }
        var room = width - widths.reduce(0, +) - Self.gap.count * max(0, head.count - 1)
        guard room >= 0 else { return nil }
        // What is left over lets heads stay in one line, from the left on.
        for column in head.indices where head[column].count > widths[column] {
            let more = min(room, head[column].count - widths[column])
            widths[column] += more
            room -= more
        }
        let heads = head.indices.map { head[$0].wrapped(to: widths[$0]).split(separator: "\n").map(String.init) }
        let height = heads.map(\.count).max() ?? 0
        func line(_ cells: [String]) -> String {
            zip(cells, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
                .joined(separator: Self.gap)
        }
        let top = (0..<height).map { row in line(heads.map { row < $0.count ? $0[row] : "" }) }
        return top + [widths.map { String(repeating: "─", count: $0) }.joined(separator: Self.gap)] + rows.map(line)
    }

    private func paragraphs(width: Int) -> [String] {
        rows.map { row in
            let parts = zip(head, row).filter { !$0.1.isEmpty }.map { $0.0.isEmpty ? $0.1 : "\($0.0) \($0.1)" }
            // A dash takes the place of blanks at the beginning, below which the rest stands.
            return "  \(parts.joined(separator: ", "))".wrapped(to: width)
        }.map { "-" + $0.dropFirst() }
    }
}
