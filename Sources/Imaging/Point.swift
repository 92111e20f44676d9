/// A place in pixels, y downwards from the upper edge.
struct Point: Equatable, Sendable {
    var x, y: Double

    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

    func moved(_ dx: Double, _ dy: Double) -> Point { Point(x + dx, y + dy) }
}
