import Foundation
import Models
import Platform

extension OutputError {
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
    /// - Parameters:
    ///   - documents: reports and tables: written at once, so that they may go to a pipe or to `/dev/stdout` too.
    ///   - pictures: likewise, but PNG.
    ///   - tensors: written in places as they become available, which takes a regular file.
    /// - Throws: `OutputError` for a place that can't be written, `RecipeError` if two of them are the same.
    public static func checkWritable(
        documents: [String?] = [], pictures: [String?] = [], tensors: [String?] = []
    ) throws {
        let places =
            try documents.compactMap(\.self).map { ($0, try checkWritable($0)) }
            + pictures.compactMap(\.self).map { ($0, try checkWritable(picture: $0)) }
            + tensors.compactMap(\.self).map { ($0, .file(path: try checkWritable(file: $0))) }
        var files = Set<OutputPlace>()
        for (path, place) in places {
            if case .stream = place { continue }
            guard files.insert(place.identity).inserted else {
                throw RecipeError("out", "and other results: two would go to \(path); name different files.")
            }
        }
    }

    /// Finds out before the work rather than after it whether a regular file can be written.
    /// - Returns: the file that the path leads to, links followed.
    @discardableResult
    public static func checkWritable(file path: String) throws(OutputError) -> String {
        guard case .file(let file) = try checkWritable(path) else {
            throw OutputError(path: path, reason: "it is a device or pipe, and these results take a file; name one")
        }
        return file
    }

    /// Endings of pictures that are not PNG.
    private static let otherPictures: Set = [
        "avif", "bmp", "eps", "gif", "heic", "jpeg", "jpg", "pdf", "ppm", "svg", "tif", "tiff", "webp",
    ]

    private static func checkWritable(picture path: String) throws(OutputError) -> OutputPlace {
        guard !otherPictures.contains(URL(fileURLWithPath: path).pathExtension.lowercased()) else {
            throw OutputError(path: path, reason: "pictures are written as PNG; give it a name that ends in .png")
        }
        let place = try checkWritable(path)
        if case .descriptor(let number) = place, isatty(number) != 0 {
            throw OutputError(path: path, reason: "a terminal shows no PNG; name a file")
        }
        return place
    }

    /// Finds out before the work rather than after it.
    private static func checkWritable(_ path: String) throws(OutputError) -> OutputPlace {
        guard !path.isEmpty else { throw OutputError(path: "\"\"", reason: "name a file") }
        guard !path.hasSuffix("/") else {
            throw OutputError(path: path, reason: "that names a folder; name a file in it")
        }
        let place = try OutputPlace(path: path)
        switch place {
        case .descriptor: break
        case .stream(let stream):
            guard FileManager.default.isWritableFile(atPath: stream) else {
                throw OutputError(path: path, reason: "it is not writable")
            }
        case .file(let file):
            let url = URL(fileURLWithPath: file)
            guard url.lastPathComponent.utf8.count <= longestName else {
                throw OutputError(path: path, reason: "the name is longer than \(longestName) bytes")
            }
            let folder = url.deletingLastPathComponent().path
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw OutputError(path: path, reason: "there is no folder \(folder); create it first")
            }
            guard FileManager.default.isWritableFile(atPath: folder) else {
                throw OutputError(path: path, reason: "the folder \(folder) is not writable")
            }
        }
        return place
    }
}
