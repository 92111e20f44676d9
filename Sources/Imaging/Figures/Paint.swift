/// What something in a figure is painted with, by its part in it: a page has it lighter or darker by the reader's choice, a picture
/// on white.
public struct Paint: Sendable, Equatable {
    enum Role: Sendable, Equatable {
        /// Text, text that may be passed over, what other things stand out from, lines to read values by, and what is behind it all.
        case ink, muted, faint, grid, ground
        /// A number of `Colour.palette`.
        case series(Int)
    }

    let role: Role
    /// From 0, which can't be seen, to 1.
    let strength: Double

    init(_ role: Role, strength: Double = 1) { (self.role, self.strength) = (role, strength) }

    public static let ink = Paint(.ink)
    public static let muted = Paint(.muted)
    public static let faint = Paint(.faint)
    static let grid = Paint(.grid)
    static let ground = Paint(.ground)

    /// One of the colours that can be told apart; beyond their number they begin anew.
    public static func series(_ number: Int) -> Paint {
        let count = Colour.palette.count
        return Paint(.series(((number % count) + count) % count))
    }

    /// The same, but weaker.
    public func weakened(to strength: Double) -> Paint {
        Paint(role, strength: self.strength * min(max(strength, 0), 1))
    }

    /// On white.
    var colour: Colour {
        switch role {
        case .ink: Colour(28, 32, 38)
        case .muted: Colour(88, 96, 106)
        case .faint: Colour(188, 194, 202)
        case .grid: Colour(226, 229, 233)
        case .ground: Colour(255, 255, 255)
        case .series(let number): Colour.palette[number]
        }
    }
}
