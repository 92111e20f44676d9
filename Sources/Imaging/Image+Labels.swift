/// Letters and single pixels on RGB pictures; what lies outside is left out.
extension Image {
    /// Of labels, from line to line.
    static let labelSize = 15.0
    /// Of a line of labels, letters that hang below the line with it.
    static let labelHeight = Int((labelSize * (Typeface.ascent + Typeface.descent)).rounded(.up))

    mutating func set(x: Int, y: Int, _ colour: Colour) {
        guard channels == 3, (0..<width).contains(x), (0..<height).contains(y) else { return }
        let offset = (y * width + x) * 3
        (bytes[offset], bytes[offset + 1], bytes[offset + 2]) = (colour.red, colour.green, colour.blue)
    }

    /// A label with its upper left corner at (x, y).
    mutating func drawLabel(_ text: String, x: Int, y: Int) {
        drawText(text, at: Point(Double(x), Double(y) + Self.labelSize * Typeface.ascent), size: Self.labelSize)
    }

    static func labelWidth(_ text: String) -> Int { Int(Typeface.width(of: text, size: labelSize).rounded(.up)) }
}
