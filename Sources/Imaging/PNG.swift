import CPNG
import Foundation
import Platform

/// A picture that could not be encoded, written or read.
public struct ImagingError: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String
    var isReading = false
    public var description: String { "\(path): cannot \(isReading ? "read" : "write") the picture: \(reason)" }
}

extension Image {
    /// Writes the picture as a PNG file. The file appears whole or not at all.
    /// - Parameters:
    ///   - path: of the file.
    ///   - texts: what its file says about it.
    /// - Throws: `ImagingError` if libpng or the file system refuses.
    public func writePNG(to path: String, texts: [PNGText] = []) throws(ImagingError) {
        let data: Data
        do { data = try pngData(texts: texts) } catch { throw ImagingError(path: path, reason: error.reason) }
        do { try AtomicFile.write(Array(data), to: path) } catch {
            throw ImagingError(path: path, reason: error.reason)
        }
    }

    /// The picture as the bytes of a PNG file, by libpng's simplified API, which is first asked for the size and then for
    /// the bytes.
    /// - Parameter texts: what the file says about the picture.
    /// - Throws: `ImagingError` if libpng refuses.
    public func pngData(texts: [PNGText] = []) throws(ImagingError) -> Data {
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
        return try PNGText.adding(texts, to: data.prefix(size))
    }

    /// Reads a PNG of a known size and number of channels.
    /// - Parameters:
    ///   - data: the bytes of the file.
    ///   - width: in pixels.
    ///   - height: in pixels.
    ///   - channels: values of a pixel.
    ///   - path: for messages.
    /// - Throws: `ImagingError` if it is no such picture.
    public init(png data: Data, width: Int, height: Int, channels: Int, path: String) throws(ImagingError) {
        self.init(width: width, height: height, channels: channels, fill: 0)
        var header = png_image()
        header.version = png_uint_32(PNG_IMAGE_VERSION)
        defer { png_image_free(&header) }
        let (count, format) = (bytes.count, channels == 1 ? 0 : png_uint_32(PNG_FORMAT_FLAG_COLOR))
        // The size is compared before anything of that size is read.
        let reason: String? = data.withUnsafeBytes { buffer in
            guard png_image_begin_read_from_memory(&header, buffer.baseAddress, buffer.count) != 0 else {
                return Self.message(of: header)
            }
            guard header.width == png_uint_32(width), header.height == png_uint_32(height) else {
                return "it has \(header.width)×\(header.height) pixels; expected \(width)×\(height)"
            }
            header.format = format
            let isRead = bytes.withUnsafeMutableBufferPointer {
                $0.count == count && png_image_finish_read(&header, nil, $0.baseAddress, 0, nil) != 0
            }
            return isRead ? nil : Self.message(of: header)
        }
        if let reason { throw ImagingError(path: path, reason: reason, isReading: true) }
    }

    private static func message(of header: png_image) -> String {
        withUnsafeBytes(of: header.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
