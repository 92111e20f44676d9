/// What a figure is drawn on: a picture's pixels or a page's vectors.
protocol Canvas {
    /// A closed shape.
    mutating func fill(_ polygon: [Point], _ paint: Paint)
    /// A line through points, its corners round.
    /// - Parameter dash: lengths of dashes and gaps in turn; empty for a line without gaps.
    mutating func stroke(_ line: [Point], width: Double, dash: [Double], _ paint: Paint)
    /// Discs.
    mutating func fill(discs: [Point], radius: Double, _ paint: Paint)
    /// - Parameters:
    ///   - text: one line.
    ///   - point: on the base line.
    ///   - anchor: which part of the text stands there.
    ///   - isUpright: whether it reads from below to above.
    mutating func text(
        _ text: String, at point: Point, size: Double, anchor: TextAnchor, isUpright: Bool, _ paint: Paint)
}

enum TextAnchor: String { case start, middle, end }

extension Canvas {
    mutating func fillBox(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>, _ paint: Paint) {
        fill(
            [
                Point(x.lowerBound, y.lowerBound), Point(x.upperBound, y.lowerBound), Point(x.upperBound, y.upperBound),
                Point(x.lowerBound, y.upperBound),
            ], paint)
    }
}
