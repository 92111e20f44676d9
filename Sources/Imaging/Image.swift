/// A picture of 8-bit samples, rows from the top, channels interleaved.
public struct Image: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// 1 (grey) or 3 (red, green, blue).
    public let channels: Int
    /// `height · width · channels` values.
    public internal(set) var bytes: [UInt8]

    /// A picture of one value throughout.
    public init(width: Int, height: Int, channels: Int, fill: UInt8) {
        precondition(width > 0 && height > 0 && (channels == 1 || channels == 3), "a grey or RGB picture of some size")
        self.width = width
        self.height = height
        self.channels = channels
        bytes = [UInt8](repeating: fill, count: width * height * channels)
    }

    /// A network's sample as a picture.
    /// - Parameters:
    ///   - planes: values `[channels, height, width]`. One channel becomes a grey picture, three an RGB one; with any
    ///     other number the channels stand side by side in grey.
    ///   - channels: values of a pixel.
    ///   - height: in pixels.
    ///   - width: in pixels.
    ///   - range: the values shown as black and as white; what lies outside is clipped.
    public init(planes: [Double], channels: Int, height: Int, width: Int, range: ClosedRange<Double> = -1...1) {
        precondition(planes.count == channels * height * width, "planes of another size")
        let span = range.upperBound - range.lowerBound
        func byte(_ value: Double) -> UInt8 {
            let level = ((value - range.lowerBound) / span * 255).rounded()
            return UInt8(min(max(level.isNaN ? 0 : level, 0), 255))
        }
        let isColour = channels == 3
        self.init(width: isColour ? width : width * channels, height: height, channels: isColour ? 3 : 1, fill: 0)
        for channel in 0..<channels {
            for y in 0..<height {
                for x in 0..<width {
                    let target = isColour ? (y * width + x) * 3 + channel : (y * channels + channel) * width + x
                    bytes[target] = byte(planes[(channel * height + y) * width + x])
                }
            }
        }
    }

    /// Copies another picture of the same number of channels into this one, its upper left corner at (x, y); what
    /// does not fit is left out.
    public mutating func draw(_ picture: Image, x: Int, y: Int) {
        precondition(picture.channels == channels, "pictures of different channels")
        let columns = min(picture.width, width - x) * channels
        guard columns > 0 else { return }
        for row in 0..<max(0, min(picture.height, height - y)) {
            let source = row * picture.width * channels
            let target = ((y + row) * width + x) * channels
            bytes.replaceSubrange(target..<target + columns, with: picture.bytes[source..<source + columns])
        }
    }
}

extension Image {
    /// Pictures of one size in a grid, row by row, with a margin between and around them.
    /// - Parameters:
    ///   - pictures: in order, row by row.
    ///   - columns: nil for a grid about as wide as high.
    ///   - margin: pixels between them.
    /// - Returns: nil if there are no pictures.
    public static func grid(_ pictures: [Image], columns: Int? = nil, margin: Int = 2) -> Image? {
        guard let first = pictures.first else { return nil }
        let columns = max(1, columns ?? Int(Double(pictures.count).squareRoot().rounded(.up)))
        let rows = (pictures.count + columns - 1) / columns
        let (cellWidth, cellHeight) = (first.width + margin, first.height + margin)
        var grid = Image(
            width: columns * cellWidth + margin, height: rows * cellHeight + margin, channels: first.channels,
            fill: 255)
        for (i, picture) in pictures.enumerated() {
            grid.draw(picture, x: margin + i % columns * cellWidth, y: margin + i / columns * cellHeight)
        }
        return grid
    }
}
