import Foundation
import Testing

@testable import Imaging

@Suite struct AnimationTests {
    private static func frames(_ count: Int) -> [Image] {
        (0..<count).map { i in
            var picture = Image(width: 20, height: 9, channels: 3, fill: UInt8(40 * i))
            picture.drawLabel("\(i)", x: 2, y: 1)
            return picture
        }
    }

    private static func write(_ frames: [Image], to path: String) throws {
        try Image.writeAnimation(count: frames.count, to: path, texts: [PNGText("about", "frames")]) {
            Image.Frame(frames[$0], milliseconds: 10 * ($0 + 1))
        }
    }

    private static func data(of type: String, in chunks: [PNGChunk]) -> [Data] {
        chunks.filter { $0.type == type }.map(\.data)
    }

    private static func inFile<Result>(_ body: (String) throws -> Result) rethrows -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID()).png").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    /// The chunks stand as ISO/IEC 15948 wants them, and every frame's data is a picture's own.
    @Test func chunksAreInOrder() throws {
        let frames = Self.frames(4)
        try Self.inFile { path in
            try Self.write(frames, to: path)
            let chunks = try PNGChunk.chunks(of: try Data(contentsOf: URL(fileURLWithPath: path)), path: path)
            let types = chunks.map(\.type).filter { $0 != "sRGB" && $0 != "gAMA" && $0 != "cHRM" }
            #expect(types.first == "IHDR" && types.last == "IEND")
            let rest = types.filter { $0 != "IHDR" && $0 != "iTXt" && $0 != "IEND" }
            #expect(rest == ["acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "fcTL", "fdAT"])
            #expect(Self.data(of: "acTL", in: chunks) == [Data([0, 0, 0, 4, 0, 0, 0, 0])])
            // The numbers in sequence go through controls and data alike.
            let numbered = chunks.filter { ["fcTL", "fdAT"].contains($0.type) }
            #expect(numbered.map { $0.data.prefix(4).reduce(0) { $0 << 8 | Int($1) } } == Array(0..<7))
            let controls = Self.data(of: "fcTL", in: chunks)
            #expect(controls.map { Int($0[20]) << 8 | Int($0[21]) } == [10, 20, 30, 40])
            let own = try frames.dropFirst().flatMap {
                Self.data(of: "IDAT", in: try PNGChunk.chunks(of: $0.pngData(), path: ""))
            }
            #expect(Self.data(of: "fdAT", in: chunks).map { $0.dropFirst(4) } == own)
        }
    }

    /// Programs without animations see the first frame, and its texts.
    @Test func theFirstFrameIsAPicture() throws {
        let frames = Self.frames(2)
        try Self.inFile { path in
            try Self.write(frames, to: path)
            let file = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(try Image(png: file, width: 20, height: 9, channels: 3, path: path) == frames[0])
            #expect(try PNGText.read(png: file, path: path).texts == [PNGText("about", "frames")])
        }
    }

    @Test func differentSizesAreRefused() throws {
        let frames = Self.frames(1) + [Image(width: 21, height: 9, channels: 3, fill: 0)]
        Self.inFile { path in
            #expect(throws: ImagingError.self) { try Self.write(frames, to: path) }
            #expect(throws: ImagingError.self) { try Self.write([], to: path) }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func barsAreCutAtTheirEnds() {
        let picture = Image(width: 10, height: 4, channels: 1, fill: 7)
        let barred = picture.above([Image.Segment(0..<4, .black), Image.Segment(8..<99, .grey)])
        #expect(barred.width == 10 && barred.height == 12 && barred.channels == 3)
        let last = Array(barred.bytes.suffix(30))
        #expect(last[0] == 0 && last[11] == 0 && last[12] == Colour.lightGrey.red && last[29] == Colour.grey.blue)
        #expect(Image.row([picture, barred]).width == 36 && barred.titled("ab", longest: "abcdef").height > 12)
    }
}
