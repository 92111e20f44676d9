/// Pictures with bars and titles, as animations have them.
extension Image {
    /// Part of a bar, in pixels from its left end.
    public struct Segment: Sendable {
        public let range: Range<Int>
        public let colour: Colour

        public init(_ range: Range<Int>, _ colour: Colour) { (self.range, self.colour) = (range, colour) }
    }

    private static let (gap, barHeight) = (2, 6)

    /// The picture in colour, with a bar below it.
    /// - Parameter segments: painted one over the other, on a light ground.
    public func above(_ segments: [Segment]) -> Image {
        var result = Image(width: width, height: height + Self.gap + Self.barHeight, channels: 3, fill: 255)
        result.draw(inColour, x: 0, y: 0)
        for segment in [Segment(0..<width, .lightGrey)] + segments {
            for y in 0..<Self.barHeight {
                for x in segment.range { result.set(x: x, y: height + Self.gap + y, segment.colour) }
            }
        }
        return result
    }

    /// The picture below a line of text.
    /// - Parameter longest: the longest line of its series, for which all of them have room.
    public func titled(_ title: String, longest: String) -> Image {
        let top = Self.labelHeight + 8
        let needed = Self.labelWidth(longest) + 16
        var result = Image(width: max(width, needed), height: height + top, channels: 3, fill: 255)
        result.drawLabel(title, x: 8, y: 6)
        result.draw(inColour, x: 0, y: top)
        return result
    }

    /// Pictures beside each other, their upper edges in line.
    public static func row(_ pictures: [Image]) -> Image {
        let gap = 16
        let width = pictures.reduce(0) { $0 + $1.width } + gap * max(0, pictures.count - 1)
        var result = Image(
            width: max(1, width), height: max(1, pictures.map(\.height).max() ?? 1), channels: 3, fill: 255)
        var left = 0
        for picture in pictures {
            result.draw(picture.inColour, x: left, y: 0)
            left += picture.width + gap
        }
        return result
    }
}
