import CPNG
import Foundation

/// A picture that could not be encoded or written.
public struct ImagingError: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String { "\(path): cannot write the picture: \(reason)" }
}

extension Image {
    /// Writes the picture as a PNG file. The file appears whole or not at all.
    /// - Throws: `ImagingError` if libpng or the file system refuses.
    public func writePNG(to path: String) throws(ImagingError) {
        let data: Data
        do { data = try encodedPNG() } catch { throw ImagingError(path: path, reason: error.reason) }
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ImagingError(path: path, reason: error.localizedDescription)
        }
    }

    /// By libpng's simplified API, first asked for the size and then for the bytes.
    private func encodedPNG() throws(ImagingError) -> Data {
        var header = png_image()
        header.version = png_uint_32(PNG_IMAGE_VERSION)
        header.width = png_uint_32(width)
        header.height = png_uint_32(height)
        header.format = channels == 1 ? 0 : png_uint_32(PNG_FORMAT_FLAG_COLOR)
        defer { png_image_free(&header) }

        var size = png_alloc_size_t(0)
        guard png_image_write_to_memory(&header, nil, &size, 0, bytes, 0, nil) != 0 else {
            throw ImagingError(path: "", reason: Self.message(of: header))
        }
        var data = Data(count: size)
        let isWritten = data.withUnsafeMutableBytes { buffer in
            png_image_write_to_memory(&header, buffer.baseAddress, &size, 0, bytes, 0, nil) != 0
        }
        guard isWritten else { throw ImagingError(path: "", reason: Self.message(of: header)) }
        return data.prefix(size)
    }

    private static func message(of header: png_image) -> String {
        withUnsafeBytes(of: header.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
