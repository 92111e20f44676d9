import Foundation

/// Commands as a shell reads them.
enum ShellCommand {
    /// This program's own.
    static var typed: String {
        let words = CommandLine.arguments
        let program = URL(fileURLWithPath: words.first ?? "diffspec").lastPathComponent
        return text(of: [program] + words.dropFirst())
    }

    static func text(of words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    private static func quoted(_ word: String) -> String {
        let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./:,=+@%"))
        if !word.isEmpty, word.unicodeScalars.allSatisfy(plain.contains) { return word }
        return "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
