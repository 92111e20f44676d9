import Foundation
import Models
import Platform

/// The cells of a sweep as a CSV file (RFC 4180) that grows cell by cell, each time whole, and that a later process goes on with.
struct SweepTable {
    static let cellColumns = [
        "steps", "churn", "temperature", "draft", "window", "nfe", "nfe_standard_error", "windows", "evaluations",
        "acceptance", "exact",
    ]
    /// Samples a cell, their seed, and the fingerprint of all else that decides what a cell says.
    private static let jobColumns = ["count", "seed", "job"]
    private static var header: [String] { cellColumns + jobColumns }

    let path: String
    private let job: [String]
    /// A pipe gets the table once, at its end.
    private let isFile: Bool
    private(set) var cells: [Sweep.Cell] = []

    /// - Parameters:
    ///   - resumes: whether the cells of a table that is there are taken over.
    ///   - job: the fingerprint of the recipe without what is swept.
    /// - Throws: `InputError` for a table that is none, or of another sweep.
    init(path: String, resumes: Bool, count: Int, seed: UInt64, job: String) throws {
        self.path = path
        self.job = ["\(count)", "\(seed)", job]
        if case .file = try OutputPlace(path: path) { isFile = true } else { isFile = false }
        guard resumes, FileManager.default.fileExists(atPath: path) else { return }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw InputError(path: path, reason: "it is no text; name another --csv, or leave --resume away")
        }
        let rows = Self.rows(of: text)
        guard rows.first == Self.header else {
            throw InputError(
                path: path,
                reason:
                    "expected the columns \(Self.header.joined(separator: ",")), found \(rows.first?.joined(separator: ",").prefix(200) ?? "nothing"); name another --csv, or leave --resume away"
            )
        }
        for (number, row) in rows.enumerated().dropFirst() {
            guard row.count == Self.header.count,
                let cell = Sweep.Cell(fields: Array(row.prefix(Self.cellColumns.count)))
            else {
                throw InputError(path: path, reason: "row \(number + 1) is no cell of a sweep")
            }
            let found = Array(row.suffix(Self.jobColumns.count))
            guard found == self.job else {
                let difference = Self.jobColumns.indices.first { found[$0] != self.job[$0] } ?? 0
                throw InputError(
                    path: path,
                    reason:
                        "row \(number + 1) is of another sweep: its \(Self.jobColumns[difference]) is \(found[difference]), here it is \(self.job[difference]); name another --csv, or leave --resume away"
                )
            }
            cells.append(cell)
        }
    }

    func cell(of setting: Sweep.Setting) -> Sweep.Cell? { cells.first { $0.isOf(setting) } }

    /// Takes in a cell, and writes the table with it.
    mutating func add(_ cell: Sweep.Cell) throws {
        cells.append(cell)
        if isFile { try write() }
    }

    /// The table in its own order, once it is whole.
    mutating func finish(_ cells: [Sweep.Cell]) throws {
        self.cells = cells
        try write()
    }

    private func write() throws {
        let rows = [Self.header] + cells.map { $0.fields + job }
        let text = rows.map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
        try AtomicFile.write(Array(text.utf8), to: path)
    }

    /// A mixture's name has commas.
    private static func quoted(_ field: String) -> String {
        field.contains { ",\"\n\r".contains($0) }
            ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
    }

    private static func rows(of text: String) -> [[String]] {
        var (rows, row, field, isQuoted) = ([[String]](), [String](), "", false)
        var characters = text.unicodeScalars.makeIterator()
        var next = characters.next()
        while let character = next {
            next = characters.next()
            switch character {
            case "\"" where isQuoted && next == "\"":
                field += "\""
                next = characters.next()
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                row.append(field)
                field = ""
            case "\r" where !isQuoted: break
            case "\n" where !isQuoted:
                rows.append(row + [field])
                (row, field) = ([], "")
            default: field.unicodeScalars.append(character)
            }
        }
        if !row.isEmpty || !field.isEmpty { rows.append(row + [field]) }
        return rows
    }
}
