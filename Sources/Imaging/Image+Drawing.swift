/// A colour of an RGB picture.
public struct Colour: Sendable, Equatable {
    public let red: UInt8
    public let green: UInt8
    public let blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

    public static let black = Colour(0, 0, 0)
    public static let grey = Colour(150, 150, 150)
    public static let lightGrey = Colour(225, 225, 225)

    /// Colours that can be told apart, by colour-blind eyes too (Okabe & Ito 2008).
    public static let palette = [
        Colour(0, 114, 178), Colour(213, 94, 0), Colour(0, 158, 115), Colour(204, 121, 167), Colour(86, 180, 233),
        Colour(230, 159, 0), Colour(110, 80, 40),
    ]

    /// From violet through green to yellow, as `position` goes from 0 to 1.
    public static func gradient(_ position: Double) -> Colour {
        let stops: [(Double, Double, Double)] = [(68, 1, 84), (49, 104, 142), (53, 183, 121), (233, 196, 36)]
        let scaled = min(max(position, 0), 1) * Double(stops.count - 1)
        let lower = min(Int(scaled), stops.count - 2)
        let weight = scaled - Double(lower)
        func mix(_ a: Double, _ b: Double) -> UInt8 { UInt8((a + weight * (b - a)).rounded()) }
        let (a, b) = (stops[lower], stops[lower + 1])
        return Colour(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    }
}

/// Plain drawing on RGB pictures; what lies outside is left out.
extension Image {
    mutating func set(x: Int, y: Int, _ colour: Colour) {
        guard channels == 3, (0..<width).contains(x), (0..<height).contains(y) else { return }
        let offset = (y * width + x) * 3
        (bytes[offset], bytes[offset + 1], bytes[offset + 2]) = (colour.red, colour.green, colour.blue)
    }

    /// A filled square around a pixel, of `2 radius + 1` pixels a side.
    mutating func drawDot(x: Int, y: Int, radius: Int, _ colour: Colour) {
        for dy in -radius...radius { for dx in -radius...radius { set(x: x + dx, y: y + dy, colour) } }
    }

    /// Bresenham's line.
    /// - Parameters:
    ///   - radius: half the thickness.
    ///   - dash: length of dashes and gaps in pixels; 0 for a solid line.
    mutating func drawLine(from a: (x: Int, y: Int), to b: (x: Int, y: Int), radius: Int, dash: Int, _ colour: Colour) {
        let (dx, dy) = (abs(b.x - a.x), -abs(b.y - a.y))
        // An end far outside would take forever to draw; nothing that plots do reaches it.
        guard dx < 1 << 20, -dy < 1 << 20 else { return }
        let (stepX, stepY) = (a.x < b.x ? 1 : -1, a.y < b.y ? 1 : -1)
        var (x, y, error, count) = (a.x, a.y, dx + dy, 0)
        while true {
            if dash == 0 || count / dash % 2 == 0 { drawDot(x: x, y: y, radius: radius, colour) }
            if x == b.x && y == b.y { return }
            let doubled = 2 * error
            if doubled >= dy { (error, x) = (error + dy, x + stepX) }
            if doubled <= dx { (error, y) = (error + dx, y + stepY) }
            count += 1
        }
    }

    /// Text with its upper left corner at (x, y), each pixel of the alphabet `scale` pixels wide.
    mutating func drawText(_ text: String, x: Int, y: Int, scale: Int = 2, _ colour: Colour = .black) {
        for (i, character) in text.enumerated() {
            for row in 0..<BitmapFont.height {
                for column in 0..<BitmapFont.width where BitmapFont.isInked(character, x: column, y: row) {
                    for dy in 0..<scale {
                        for dx in 0..<scale {
                            set(
                                x: x + (i * (BitmapFont.width + 1) + column) * scale + dx, y: y + row * scale + dy,
                                colour)
                        }
                    }
                }
            }
        }
    }

    static func textWidth(_ text: String, scale: Int = 2) -> Int { text.count * (BitmapFont.width + 1) * scale }
}
