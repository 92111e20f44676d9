import Foundation

/// libturbojpeg, if the system has it: JPEG is read only where a robot's cameras send it, so that nobody else needs the library.
private struct TurboJPEG: Sendable {
    typealias Create = @convention(c) () -> UnsafeMutableRawPointer?
    typealias Destroy = @convention(c) (UnsafeMutableRawPointer) -> Int32
    typealias Header =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafePointer<UInt8>, CUnsignedLong, UnsafeMutablePointer<Int32>,
            UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
        ) -> Int32
    typealias Decompress =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafePointer<UInt8>, CUnsignedLong, UnsafeMutablePointer<UInt8>, Int32, Int32,
            Int32,
            Int32, Int32
        ) -> Int32
    typealias Message = @convention(c) (UnsafeMutableRawPointer) -> UnsafePointer<CChar>?

    let create: Create
    let destroy: Destroy
    let header: Header
    let decompress: Decompress
    let message: Message

    static let names = ["libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.dylib"]

    /// nil where there is none.
    static let shared: TurboJPEG? = {
        guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first,
            let create = dlsym(library, "tjInitDecompress"), let destroy = dlsym(library, "tjDestroy"),
            let header = dlsym(library, "tjDecompressHeader3"), let decompress = dlsym(library, "tjDecompress2"),
            let message = dlsym(library, "tjGetErrorStr2")
        else { return nil }
        return TurboJPEG(
            create: unsafeBitCast(create, to: Create.self), destroy: unsafeBitCast(destroy, to: Destroy.self),
            header: unsafeBitCast(header, to: Header.self), decompress: unsafeBitCast(decompress, to: Decompress.self),
            message: unsafeBitCast(message, to: Message.self))
    }()

    /// `TJPF_RGB` and `TJPF_GRAY`.
    static func pixelFormat(channels: Int) -> Int32 { channels == 1 ? 6 : 0 }
    /// `TJFLAG_ACCURATEDCT`, as most programs decode.
    static let accurate: Int32 = 4096
}

extension Image {
    /// Reads a PNG or JPEG of a known size.
    /// - Parameters:
    ///   - data: the bytes of the file.
    ///   - width: in pixels.
    ///   - height: in pixels.
    ///   - channels: values of a pixel.
    ///   - path: for messages.
    /// - Throws: `ImagingError` if it is neither, or of another size.
    public init(picture data: Data, width: Int, height: Int, channels: Int, path: String) throws(ImagingError) {
        let isJPEG = data.starts(with: [0xFF, 0xD8, 0xFF])
        if isJPEG {
            try self.init(jpeg: data, width: width, height: height, channels: channels, path: path)
        } else {
            try self.init(png: data, width: width, height: height, channels: channels, path: path)
        }
    }

    private init(jpeg data: Data, width: Int, height: Int, channels: Int, path: String) throws(ImagingError) {
        func failure(_ reason: String) -> ImagingError { ImagingError(path: path, reason: reason, isReading: true) }
        guard let library = TurboJPEG.shared else {
            throw failure("JPEG needs the library \(TurboJPEG.names[0]): install libturbojpeg0, or send PNG")
        }
        guard let handle = library.create() else { throw failure("libturbojpeg has no memory") }
        defer { _ = library.destroy(handle) }
        func message() -> String { library.message(handle).map { String(cString: $0) } ?? "unknown reason" }

        self.init(width: width, height: height, channels: channels, fill: 0)
        let reason: String? = data.withUnsafeBytes { (source: UnsafeRawBufferPointer) -> String? in
            guard let bytes = source.bindMemory(to: UInt8.self).baseAddress else { return "it is empty" }
            let size = CUnsignedLong(source.count)
            var (foundWidth, foundHeight, sampling, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
            guard library.header(handle, bytes, size, &foundWidth, &foundHeight, &sampling, &space) == 0 else {
                return message()
            }
            guard Int(foundWidth) == width, Int(foundHeight) == height else {
                return "it has \(foundWidth)×\(foundHeight) pixels; expected \(width)×\(height)"
            }
            let isRead = self.bytes.withUnsafeMutableBufferPointer { place in
                guard let base = place.baseAddress else { return true }
                return library.decompress(
                    handle, bytes, size, base, foundWidth, Int32(width * channels), foundHeight,
                    TurboJPEG.pixelFormat(channels: channels), TurboJPEG.accurate) == 0
            }
            return isRead ? nil : message()
        }
        if let reason { throw failure(reason) }
    }
}
