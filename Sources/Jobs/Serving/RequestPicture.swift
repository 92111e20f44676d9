import Foundation
import Imaging
import Models
import NeuralNetwork
import Platform

/// A camera's picture in a request: the path of a PNG or JPEG, `{"base64": "…"}` with the bytes of one, or
/// `{"shared_memory": "/name", "offset": 0}` with `[height][width][3]` bytes.
struct RequestPicture {
    let height: Int
    let width: Int

    /// A picture file is never larger.
    private static let largestFile = 64 << 20

    /// `[3][height][width]`, from 0 to 1.
    /// - Throws: `Failure`, saying why there is none.
    func values(_ value: JSON) throws(Failure) -> [Float] {
        if let path = value.string { return planes(try picture(file: path).bytes) }
        if let text = value["base64"]?.string {
            guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
                throw Failure("\"base64\" holds no base64")
            }
            return planes(try decoded(data, path: "base64").bytes)
        }
        if let name = value["shared_memory"]?.string {
            let offset = value["offset"] ?? .integer(0)
            guard let offset = offset.int, offset >= 0 else {
                throw Failure("\"offset\" must be an integer of at least 0")
            }
            return planes(try sharedMemory(name, offset: offset))
        }
        throw Failure(
            "a picture must be a path, {\"base64\": \"…\"} or {\"shared_memory\": \"/name\", \"offset\": 0}")
    }

    struct Failure: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private func picture(file path: String) throws(Failure) -> Image {
        guard case .file(let size) = FileKind(path: path) else { throw Failure("\(path): no such file") }
        guard size <= Self.largestFile else {
            throw Failure("\(path): \(size) bytes; at most \(Self.largestFile) are expected of a picture")
        }
        guard let data = FileManager.default.contents(atPath: path) else { throw Failure("\(path): cannot be read") }
        return try decoded(data, path: path)
    }

    private func decoded(_ data: Data, path: String) throws(Failure) -> Image {
        do {
            return try Image(
                picture: data, width: width, height: height, channels: PolicyFeature.pictureChannels, path: path)
        } catch { throw Failure("\(error)") }
    }

    /// A copy, so that the camera may write its next picture meanwhile.
    private func sharedMemory(_ name: String, offset: Int) throws(Failure) -> [UInt8] {
        func failure(_ reason: String) -> Failure { Failure("shared memory \(name): \(reason)") }
        let count = height * width * PolicyFeature.pictureChannels
        let descriptor = shm_open(name, O_RDONLY, 0)
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(String(cString: strerror(errno))) }
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard !overflow, end <= Int(status.st_size) else {
            throw failure("it has \(status.st_size) bytes; a picture of \(height)×\(width) at \(offset) needs \(count)")
        }
        guard let map = mmap(nil, Int(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0), map != MAP_FAILED else {
            throw failure(String(cString: strerror(errno)))
        }
        defer { munmap(map, Int(status.st_size)) }
        return Array(UnsafeRawBufferPointer(start: map + offset, count: count))
    }

    /// Bytes of pixels as planes of numbers.
    private func planes(_ bytes: [UInt8]) -> [Float] {
        let (pixels, channels) = (height * width, PolicyFeature.pictureChannels)
        return Array(unsafeUninitializedCapacity: pixels * channels) { planes, count in
            for channel in 0..<channels {
                for pixel in 0..<pixels {
                    planes[channel * pixels + pixel] = Float(bytes[pixel * channels + channel]) / 255
                }
            }
            count = pixels * channels
        }
    }
}
