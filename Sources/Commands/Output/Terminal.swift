import Foundation
@preconcurrency import Platform

#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// The place that people read a stream at.
struct Terminal {
    static let output = Terminal(STDOUT_FILENO)
    static let errors = Terminal(STDERR_FILENO)

    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Whether it is one; else a file, or a pipe to a program.
    var isThere: Bool { isatty(descriptor) == 1 }

    /// Whether lines can be written anew.
    var canRewrite: Bool { isThere && environment("TERM") != "dumb" }

    /// See no-color.org.
    var hasColours: Bool { canRewrite && environment("NO_COLOR", isEmptyNone: true) == nil }

    /// Columns; nil where lines may have any length.
    var width: Int? {
        guard isThere else { return nil }
        var size = winsize()
        if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return max(20, Int(size.ws_col)) }
        return environment("COLUMNS").flatMap(Int.init).map { max(20, $0) } ?? 80
    }

    /// A word in a colour, where there are colours.
    func coloured(_ text: String, _ code: Int) -> String { hasColours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }

    private func environment(_ name: String, isEmptyNone: Bool = false) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { isEmptyNone && $0.isEmpty ? nil : $0 }
    }
}

extension String {
    /// Lines of no more than so many columns, broken between words; what goes on begins below what it goes on with. Tables that are
    /// too wide are laid out anew.
    func wrapped(to width: Int?) -> String {
        guard let width, width > 0 else { return self }
        var (result, table) = ([String](), [Substring]())
        func finishTable() {
            let isWide = table.contains { $0.count > width }
            result += isWide ? NarrowTable(table).lines(width: width) : table.map(String.init)
            table = []
        }
        for line in split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("|"), line.hasSuffix("|"), line.count > 1 {
                table.append(line)
            } else {
                finishTable()
                result += Self.wrapped(line, to: width)
            }
        }
        finishTable()
        return result.joined(separator: "\n")
    }

    private static func wrapped(_ line: Substring, to width: Int) -> [String] {
        guard line.count > width else { return [String(line)] }
        let indent = Swift.min(Self.indent(of: line), width / 2)
        var (lines, current, isEmpty) = ([String](), String(line.prefix(indent)), true)
        for word in line.dropFirst(indent).split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, current.count + 1 + word.count > width {
                lines.append(current)
                (current, isEmpty) = (String(repeating: " ", count: indent), true)
            }
            // Blanks between columns end with the line.
            if isEmpty, word.isEmpty { continue }
            current += isEmpty ? String(word) : " \(word)"
            isEmpty = false
        }
        return lines + [current]
    }

    /// Where the text of a line begins: behind its blanks, and behind a name that blanks follow, as in "  NFE          12.2 a sample".
    private static func indent(of line: Substring) -> Int {
        let blanks = line.prefix { $0 == " " }.count
        let rest = line.dropFirst(blanks)
        guard let gap = rest.range(of: "  ") else { return blanks }
        let name = rest[..<gap.lowerBound]
        guard name.count <= 20 else { return blanks }
        return blanks + name.count + rest[gap.lowerBound...].prefix { $0 == " " }.count
    }
}
