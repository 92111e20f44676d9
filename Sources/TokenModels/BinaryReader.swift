import Foundation

/// Reads little-endian numbers one after another, never past the end.
struct BinaryReader {
    private let data: Data
    private let file: String
    private var offset: Int

    init(_ data: Data, file: String, offset: Int = 0) {
        (self.data, self.file, self.offset) = (data, file, offset)
    }

    var isAtEnd: Bool { offset >= data.count }

    mutating func integer() throws(TokenModelError) -> Int32 {
        let bytes = try take(4)
        return bytes.reversed().reduce(0) { $0 << 8 | Int32($1) }
    }

    mutating func float() throws(TokenModelError) -> Float {
        Float(bitPattern: UInt32(bitPattern: try integer()))
    }

    mutating func floats(_ count: Int) throws(TokenModelError) -> [Float] {
        let bytes = try take(4 * count)
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { index in
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
            }
        }
    }

    mutating func take(_ count: Int) throws(TokenModelError) -> Data {
        guard count >= 0, count <= data.count - offset else {
            throw .malformed(
                file: file, expected: "\(count) more bytes at offset \(offset)", found: "\(data.count - offset)")
        }
        defer { offset += count }
        return data[offset..<(offset + count)]
    }
}

/// The bytes of a regular file, mapped rather than copied where the system can.
func readFile(_ path: String) throws(TokenModelError) -> Data {
    do {
        let url = URL(fileURLWithPath: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw TokenModelError.unreadable(file: path, reason: "it is not a regular file")
        }
        return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch let error as TokenModelError {
        throw error
    } catch {
        throw .unreadable(file: path, reason: error.localizedDescription)
    }
}

/// Whether there is a regular file, or a link to one.
func isRegularFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
}
