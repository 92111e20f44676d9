import Foundation
import Platform

extension Image {
    /// One picture of an animation, and how long it stays.
    public struct Frame: Sendable {
        public let picture: Image
        /// From 1 to 65,535.
        public let milliseconds: Int

        public init(_ picture: Image, milliseconds: Int) { (self.picture, self.milliseconds) = (picture, milliseconds) }
    }

    /// Writes pictures of one size as an animated PNG (ISO/IEC 15948:2025, §11.3.4) that starts over at its end. A program that
    /// knows no animations shows the first. The file appears whole or not at all.
    /// - Parameters:
    ///   - count: how many frames, at least one.
    ///   - path: of the file.
    ///   - texts: what its file says about it.
    ///   - frame: makes a frame when its turn comes, so that the pictures need not be in memory together.
    /// - Throws: `ImagingError` for pictures of different sizes, or if libpng or the file system refuses; what making a
    ///   frame throws.
    public static func writeAnimation(
        count: Int, to path: String, texts: [PNGText] = [], frame: (Int) throws -> Frame
    ) throws {
        guard count > 0 else { throw ImagingError(path: path, reason: "it has no frames") }
        var (chunks, header, sequence) = ([PNGChunk](), Data(), UInt32(0))
        func nextNumber() -> Data {
            defer { sequence += 1 }
            return PNGChunk.bytes(sequence)
        }
        for index in 0..<count {
            let frame = try frame(index)
            let own = try PNGChunk.chunks(of: frame.picture.pngData(texts: index == 0 ? texts : []), path: path)
            if index == 0 {
                header = own[0].data
                chunks = own.filter { $0.type != "IDAT" && $0.type != "IEND" }
                // How many frames, and how often they are played: 0 for ever.
                chunks.append(
                    PNGChunk(type: "acTL", data: PNGChunk.bytes(UInt32(count)) + PNGChunk.bytes(0)))
            }
            guard own[0].data == header else {
                throw ImagingError(path: path, reason: "its frames are of different sizes")
            }
            chunks.append(PNGChunk(type: "fcTL", data: nextNumber() + control(frame)))
            for data in own where data.type == "IDAT" {
                chunks.append(index == 0 ? data : PNGChunk(type: "fdAT", data: nextNumber() + data.data))
            }
        }
        chunks.append(PNGChunk(type: "IEND", data: Data()))
        do { try AtomicFile.write(Array(PNGChunk.file(chunks)), to: path) } catch {
            throw ImagingError(path: path, reason: error.reason)
        }
    }

    /// What follows the number in sequence in `fcTL`: width, height, place, duration in thousandths; the frame takes the place of
    /// the one before.
    private static func control(_ frame: Frame) -> Data {
        func short(_ number: Int) -> Data {
            withUnsafeBytes(of: UInt16(clamping: number).bigEndian) { Data($0) }
        }
        let size = [UInt32(frame.picture.width), UInt32(frame.picture.height), 0, 0]
        return size.reduce(into: Data()) { $0 += PNGChunk.bytes($1) } + short(frame.milliseconds) + short(1000)
            + Data([0, 0])
    }
}
