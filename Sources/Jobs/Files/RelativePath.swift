import Foundation

/// Paths as seen from a folder, so that a folder can be moved with what it speaks of.
enum RelativePath {
    static func path(to file: String, from folder: String) -> String {
        let url = URL(fileURLWithPath: file)
        let target = real(url.deletingLastPathComponent()).appendingPathComponent(url.lastPathComponent).pathComponents
        let base = real(URL(fileURLWithPath: folder)).pathComponents
        let shared = zip(target, base).prefix { $0 == $1 }.count
        return (base.dropFirst(shared).map { _ in ".." } + target.dropFirst(shared)).joined(separator: "/")
    }

    static func resolve(_ path: String, from folder: String) -> String {
        real(URL(fileURLWithPath: folder)).appendingPathComponent(path).standardizedFileURL.path
    }

    /// A folder by its own path, whatever links lead to it: `..` from there is then what it seems.
    private static func real(_ folder: URL) -> URL { folder.resolvingSymlinksInPath().standardizedFileURL }
}
