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

    @Test func gridsPlaceEveryPicture() throws {
        let pictures = (0..<5).map { Image(width: 2, height: 3, channels: 1, fill: UInt8($0)) }
        let grid = try #require(Image.grid(pictures, margin: 1))
        #expect((grid.width, grid.height) == (3 * 3 + 1, 2 * 4 + 1))
        for i in 0..<5 {
            let (x, y) = (1 + i % 3 * 3, 1 + i / 3 * 4)
            #expect(grid.bytes[y * grid.width + x] == UInt8(i))
            #expect(grid.bytes[(y + 2) * grid.width + x + 1] == UInt8(i))
        }
        #expect(Image.grid([]) == nil)
    }

    @Test func anUnwritablePathIsNamed() {
        let picture = Image(width: 1, height: 1, channels: 1, fill: 0)
        let error = #expect(throws: ImagingError.self) { try picture.writePNG(to: "/nonexistent/folder/x.png") }
        #expect(error?.description.contains("/nonexistent/folder/x.png") == true)
    }
}
