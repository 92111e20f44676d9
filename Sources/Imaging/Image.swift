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
    /// Every pixel as a square of them.
    /// - Parameter scale: pixels a side, at least 1.
    public func enlarged(by scale: Int) -> Image {
        precondition(scale >= 1, "a scale is at least 1")
        guard scale > 1 else { return self }
        var result = Image(width: width * scale, height: height * scale, channels: channels, fill: 0)
        let stride = width * channels
        for y in 0..<height {
            let row = (0..<width).flatMap { x -> [UInt8] in
                let pixel = bytes[y * stride + x * channels..<y * stride + (x + 1) * channels]
                return (0..<scale).flatMap { _ in pixel }
            }
            for copy in 0..<scale {
                let target = (y * scale + copy) * stride * scale
                result.bytes.replaceSubrange(target..<target + row.count, with: row)
            }
        }
        return result
    }

    /// How many times to enlarge pictures of a size, so that they can be seen: to about 96 pixels.
    public static func visibleScale(width: Int, height: Int) -> Int {
        max(1, Int((96 / Double(max(width, height))).rounded()))
    }

    /// The same in red, green and blue.
    var inColour: Image {
        guard channels == 1 else { return self }
        var result = Image(width: width, height: height, channels: 3, fill: 0)
        result.bytes = bytes.flatMap { [$0, $0, $0] }
        return result
    }

    /// Pictures of one size in a grid, row by row, with a margin between and around them.
    /// - Parameters:
    ///   - pictures: in order, row by row.
    ///   - columns: nil for a column for each label, and without labels for a grid about as wide as high.
    ///   - scale: how many times the pictures are enlarged, at least 1.
    ///   - labels: over the columns; none for none.
    /// - Returns: nil if there are no pictures.
    public static func grid(
        _ pictures: [Image], columns: Int? = nil, scale: Int = 1, labels: [String] = []
    ) -> Image? {
        guard let first = pictures.first else { return nil }
        let square = labels.isEmpty ? Int(Double(pictures.count).squareRoot().rounded(.up)) : labels.count
        let columns = max(1, min(columns ?? square, pictures.count))
        let rows = (pictures.count + columns - 1) / columns
        let margin = 2 * scale
        // A label may be wider than its column's pictures.
        let widest = labels.prefix(columns).map { labelWidth($0) }.max() ?? 0
        let pictureWidth = first.width * scale
        let (cellWidth, cellHeight) = (max(pictureWidth, widest) + margin, first.height * scale + margin)
        let top = labels.isEmpty ? margin : margin + labelHeight + 4
        var grid = Image(
            width: columns * cellWidth + margin, height: top + rows * cellHeight,
            channels: labels.isEmpty ? first.channels : 3, fill: 255)
        for (i, picture) in pictures.enumerated() {
            let enlarged = picture.enlarged(by: scale)
            let left = margin + i % columns * cellWidth + (cellWidth - margin - pictureWidth) / 2
            grid.draw(labels.isEmpty ? enlarged : enlarged.inColour, x: left, y: top + i / columns * cellHeight)
        }
        for (column, label) in labels.prefix(columns).enumerated() {
            let centre = margin + column * cellWidth + (cellWidth - margin) / 2
            grid.drawLabel(label, x: centre - labelWidth(label) / 2, y: margin)
        }
        return grid
    }
}
