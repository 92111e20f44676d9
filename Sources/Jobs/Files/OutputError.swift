import Foundation
import Models

/// A place that results cannot be written to.
public struct OutputError: Error, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String { "\(path): cannot write: \(reason)" }

    public init(path: String, reason: String) { (self.path, self.reason) = (path, reason) }

    /// File systems take 255 bytes, and a file has a longer name while it is being written.
    private static let longestName = 220

    /// A folder for results, made if there is none.
    public static func prepare(folder: String) throws(OutputError) {
        guard !folder.isEmpty else { throw OutputError(path: "\"\"", reason: "name a folder") }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw OutputError(path: folder, reason: error.localizedDescription)
        }
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw OutputError(path: folder, reason: "the folder is not writable")
        }
    }

    /// Finds out before the work rather than after it.
    /// - Throws: `OutputError` for a file that can't be written, `RecipeError` if two of them are the same.
    public static func checkWritable(files: [String?]) throws {
        var places = Set<String>()
        for file in files.compactMap({ $0 }) {
            try checkWritable(file: file)
            guard places.insert(URL(fileURLWithPath: file).resolvingSymlinksInPath().path).inserted else {
                throw RecipeError("out", "and other results: two would go to \(file); name different files.")
            }
        }
    }

    /// Finds out before the work rather than after it.
    public static func checkWritable(file path: String) throws(OutputError) {
        guard !path.isEmpty else { throw OutputError(path: "\"\"", reason: "name a file") }
        guard !path.hasSuffix("/") else {
            throw OutputError(path: path, reason: "that names a folder; name a file in it")
        }
        guard path.split(separator: "/").last.map({ $0.utf8.count <= longestName }) ?? true else {
            throw OutputError(path: path, reason: "the name is longer than \(longestName) bytes")
        }
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        if let type = attributes?[.type] as? FileAttributeType, type != .typeRegular, type != .typeDirectory {
            throw OutputError(
                path: path,
                reason: type == .typeSymbolicLink
                    ? "it is a link that leads nowhere" : "it is a device or pipe; name a file")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw OutputError(path: path, reason: "it is a folder; name a file in it")
        }
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw OutputError(path: path, reason: "there is no folder \(folder); create it first")
        }
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw OutputError(path: path, reason: "the folder \(folder) is not writable")
        }
    }
}
