import CPNG
import Foundation
import Imaging
import Testing

@Suite("Pictures")
struct PNGTests {
    static func temporaryPath() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID()).png").path
    }

    /// What libpng reads back is what was written.
    @Test(arguments: [1, 3])
    func roundTrip(channels: Int) throws {
        let (height, width) = (5, 7)
        let planes = (0..<channels * height * width).map { Double($0 % 23) / 11 - 1 }
        let picture = Image(planes: planes, channels: channels, height: height, width: width)
        let path = Self.temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try picture.writePNG(to: path)

        var header = png_image()
        header.version = png_uint_32(PNG_IMAGE_VERSION)
        defer { png_image_free(&header) }
        try #require(png_image_begin_read_from_file(&header, path) != 0)
        #expect(header.width == 7 && header.height == 5)
        header.format = channels == 1 ? 0 : png_uint_32(PNG_FORMAT_FLAG_COLOR)
        var bytes = [UInt8](repeating: 0, count: channels * height * width)
        try #require(png_image_finish_read(&header, nil, &bytes, 0, nil) != 0)
        #expect(bytes == picture.bytes)
    }

    @Test func valuesOutsideTheRangeAreClipped() {
        let picture = Image(planes: [-9, -1, 0, 1, 9, .nan], channels: 1, height: 2, width: 3)
        #expect(picture.bytes == [0, 0, 128, 255, 255, 0])
    }

    @Test func otherChannelsStandSideBySide() {
        let picture = Image(planes: [-1, -1, 1, 1], channels: 2, height: 2, width: 1)
        #expect((picture.width, picture.height, picture.channels) == (2, 2, 1))
        #expect(picture.bytes == [0, 255, 0, 255])
    }

    @Test(arguments: [1, 3]) func gridsPlaceEveryPicture(scale: Int) throws {
        let pictures = (0..<5).map { Image(width: 2, height: 3, channels: 1, fill: UInt8($0)) }
        let grid = try #require(Image.grid(pictures, scale: scale))
        let (margin, cellWidth, cellHeight) = (2 * scale, 4 * scale, 5 * scale)
        #expect((grid.width, grid.height) == (3 * cellWidth + margin, 2 * cellHeight + margin))
        var inked = 0
        for y in 0..<grid.height {
            for x in 0..<grid.width {
                let (column, row) = ((x - margin) / cellWidth, (y - margin) / cellHeight)
                let isInside =
                    x >= margin && y >= margin && (x - margin) % cellWidth < 2 * scale
                    && (y - margin) % cellHeight < 3 * scale && 3 * row + column < 5
                #expect(grid.bytes[y * grid.width + x] == (isInside ? UInt8(3 * row + column) : 255))
                inked += isInside ? 1 : 0
            }
        }
        #expect(inked == 5 * 6 * scale * scale)
        #expect(Image.grid([]) == nil)
    }

    /// The columns are as many as the labels, wide enough for them, and pictures of one channel become coloured.
    @Test func labelsStandOverTheirColumns() throws {
        let pictures = (0..<6).map { Image(width: 4, height: 4, channels: 1, fill: UInt8(10 * $0)) }
        let plain = try #require(Image.grid(pictures, columns: 3))
        let grid = try #require(Image.grid(pictures, labels: ["a", "wide label", "c"]))
        #expect(grid.channels == 3 && grid.width > plain.width && grid.height > plain.height)
        let dark: [Int] = (0..<grid.height - plain.height).flatMap { y in
            (0..<grid.width).filter { grid.bytes[(y * grid.width + $0) * 3] < 128 }
        }
        let thirds = (0..<3).map { third in dark.count { $0 * 3 / grid.width == third } }
        #expect(thirds.allSatisfy { $0 > 0 } && thirds[1] > 3 * thirds[0])
        #expect(Set(grid.bytes).isSuperset(of: [10, 20, 30, 40, 50]))
    }

    @Test func picturesAreEnlargedToBeSeen() {
        let sizes = [(28, 3), (32, 3), (64, 2), (96, 1), (512, 1), (1, 96)]
        for (size, scale) in sizes { #expect(Image.visibleScale(width: size, height: size) == scale) }
        let pixels = Image(planes: [-1, 1, 0, -1], channels: 1, height: 2, width: 2).enlarged(by: 2)
        #expect(pixels.bytes == [0, 0, 255, 255, 0, 0, 255, 255, 128, 128, 0, 0, 128, 128, 0, 0])
    }

    @Test func textsAreKept() throws {
        let picture = Image(planes: [-1, 0, 0.5, 1], channels: 1, height: 2, width: 2)
        let texts = [PNGText("model", "öffnen 'x'"), PNGText("seed", "7"), PNGText("empty", "")]
        let file = try picture.pngData(texts: texts)
        let found = try PNGText.read(png: file, path: "x.png")
        #expect((found.width, found.height) == (2, 2) && found.texts == texts)
        // libpng still reads the picture.
        #expect(try Image(png: file, width: 2, height: 2, channels: 1, path: "x.png") == picture)
        // Every damage of a byte, and every cut, is an error, since all bytes but the signature's are under a checksum.
        for index in file.indices {
            var damaged = file
            damaged[index] ^= 0x10
            #expect(throws: ImagingError.self) { try PNGText.read(png: damaged, path: "x.png") }
            if index > 8 { _ = try? PNGText.read(png: file.prefix(index), path: "x.png") }
        }
        #expect(try PNGText.read(png: picture.pngData(), path: "x.png").texts.isEmpty)
    }

    /// `tEXt`, as other programs write it.
    @Test func otherProgramsTextsAreRead() throws {
        let chunk = Data([0, 0, 0, 5]) + Data("tEXta".utf8) + Data([0]) + Data("böx".data(using: .isoLatin1) ?? Data())
        let file = try Image(width: 1, height: 1, channels: 1, fill: 0).pngData()
        let checksum = Data([0x59, 0x8B, 0x5C, 0x7F])
        let found = try PNGText.read(png: file.prefix(33) + chunk + checksum + file.dropFirst(33), path: "x.png")
        #expect(found.texts == [PNGText("a", "böx")])
    }

    @Test func anUnwritablePathIsNamed() {
        let picture = Image(width: 1, height: 1, channels: 1, fill: 0)
        let error = #expect(throws: ImagingError.self) { try picture.writePNG(to: "/nonexistent/folder/x.png") }
        #expect(error?.description.contains("/nonexistent/folder/x.png") == true)
    }
}
