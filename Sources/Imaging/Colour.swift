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
}
