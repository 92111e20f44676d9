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
    ///   - frames: what numbers the pictures, at least one.
    ///   - frame: makes one, when its turn comes, so that they need not be in memory together.
    ///   - path: of the file.
    ///   - texts: what its file says about it.
    /// - Throws: `ImagingError` for pictures of different sizes, or if libpng or the file system refuses; what making a
    ///   frame throws.
    public static func writeAnimation(
        _ frames: some Sequence<Int>, of frame: (Int) throws -> Frame, to path: String, texts: [PNGText] = []
    ) throws {
        var chunks: [PNGChunk] = []
        var (header, number, sequence) = (Data(), 0, UInt32(0))
        for index in frames {
            let frame = try frame(index)
            let own = try PNGChunk.chunks(of: frame.picture.pngData(texts: number == 0 ? texts : []), path: path)
            if number == 0 {
                header = own[0].data
                // The number of frames takes its place at the end.
                chunks = own.filter { $0.type != "IDAT" && $0.type != "IEND" }
            }
            guard own[0].data == header else {
                throw ImagingError(path: path, reason: "its frames are of different sizes")
            }
            chunks.append(PNGChunk(type: "fcTL", data: control(frame, sequence)))
            sequence += 1
            for data in own where data.type == "IDAT" {
                if number == 0 {
                    chunks.append(data)
                } else {
                    chunks.append(PNGChunk(type: "fdAT", data: PNGChunk.bytes(sequence) + data.data))
                    sequence += 1
                }
            }
            number += 1
        }
        guard let first = chunks.firstIndex(where: { $0.type == "fcTL" }) else {
            throw ImagingError(path: path, reason: "it has no frames")
        }
        // How many frames, and how often it is played: 0 for ever.
        chunks.insert(
            PNGChunk(type: "acTL", data: PNGChunk.bytes(UInt32(number)) + PNGChunk.bytes(0)), at: first)
        chunks.append(PNGChunk(type: "IEND", data: Data()))
        do { try AtomicFile.write(Array(PNGChunk.file(chunks)), to: path) } catch {
            throw ImagingError(path: path, reason: error.reason)
        }
    }

    /// `fcTL`: number in sequence, width, height, place, duration in thousandths; the frame takes the place of the one before.
    private static func control(_ frame: Frame, _ sequence: UInt32) -> Data {
        func short(_ number: Int) -> Data {
            withUnsafeBytes(of: UInt16(clamping: number).bigEndian) { Data($0) }
        }
        let size = [sequence, UInt32(frame.picture.width), UInt32(frame.picture.height), 0, 0]
        return size.reduce(into: Data()) { $0 += PNGChunk.bytes($1) } + short(frame.milliseconds) + short(1000)
            + Data([0, 0])
    }
}
