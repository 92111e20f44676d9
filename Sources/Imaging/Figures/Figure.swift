/// A diagram: what it shows, and nothing of how. It is drawn as a picture (`image`) or as a part of a page (`svg`), by one layout.
public struct Figure: Sendable {
    public struct Axis: Sendable {
        public let label: String
        /// Of the values; nil for pure numbers, and where the label says it.
        public let unit: String?
        public let isLogarithmic: Bool
        /// What is shown; nil for all values with a margin. What lies outside is cut off at the border.
        public let range: ClosedRange<Double>?
        /// Whether values grow towards the origin.
        public let isReversed: Bool
        /// Of things at 0, 1, 2, …, in place of numbers.
        public let names: [String]

        public init(
            _ label: String, unit: String? = nil, isLogarithmic: Bool = false, range: ClosedRange<Double>? = nil,
            isReversed: Bool = false, names: [String] = []
        ) {
            (self.label, self.unit, self.isLogarithmic) = (label, unit, isLogarithmic)
            (self.range, self.isReversed, self.names) = (range, isReversed, names)
        }

        var title: String { unit.map { "\(label) (\($0))" } ?? label }
    }

    public struct Value: Sendable {
        public let x, y: Double
        /// The half length of the bar through it; nil for none.
        public let error: Double?

        public init(_ x: Double, _ y: Double, error: Double? = nil) { (self.x, self.y, self.error) = (x, y, error) }
    }

    public enum Dash: Sendable, CaseIterable { case solid, dashed, dotted, dashDotted }

    /// How a point of few is marked.
    public enum Marker: Sendable, CaseIterable { case disc, square, triangle, diamond, ring }

    public enum Mark: Sendable {
        /// Through values in order; with markers where they are few.
        case line(Dash = .solid, Marker? = .disc)
        /// A disc each, so many pixels in diameter.
        case dots(diameter: Double = 5)
        /// Two values each: opposite corners.
        case boxes
    }

    /// As high as wide where the axes are of the same kind; flat for a few bars.
    public enum Shape: Sendable {
        case wide, square, flat

        fileprivate var height: Int {
            switch self {
            case .wide: 560
            case .square: 720
            case .flat: 280
            }
        }
    }

    public struct Series: Sendable {
        public let label: String
        public let values: [Value]
        public let mark: Mark
        public let paint: Paint

        /// - Parameters:
        ///   - label: in the legend; empty for none.
        ///   - values: those that are not finite are left out.
        public init(_ label: String, _ values: [Value], mark: Mark = .line(), paint: Paint) {
            (self.label, self.mark, self.paint) = (label, mark, paint)
            self.values = values.filter { $0.x.isFinite && $0.y.isFinite }
        }

        /// - Parameter points: without bars.
        public init(_ label: String, points: [(x: Double, y: Double)], mark: Mark = .line(), paint: Paint) {
            self.init(label, points.map { Value($0.x, $0.y) }, mark: mark, paint: paint)
        }
    }

    public let title: String
    /// What a reader has to know of the values; empty for nothing.
    public let note: String
    public let x, y: Axis
    public let series: [Series]
    public let shape: Shape

    public init(_ title: String, note: String = "", x: Axis, y: Axis, series: [Series], shape: Shape = .wide) {
        (self.title, self.note, self.x, self.y, self.series) = (title, note, x, y, series)
        self.shape = shape
    }

    /// - Parameters:
    ///   - width: in pixels, at least 200; nil for what a document has room for.
    ///   - height: in pixels, at least 160; a legend that has no room beside the values comes on top of it.
    public func image(width: Int? = nil, height: Int? = nil) -> Image {
        let (width, height) = (width ?? (shape == .square ? 720 : 900), height ?? shape.height)
        let layout = FigureLayout(self, width: min(max(200, width), 1 << 14), height: min(max(160, height), 1 << 14))
        var canvas = PictureCanvas(width: Int(layout.width), height: Int(layout.height))
        layout.draw(on: &canvas)
        return canvas.image
    }

    /// An `svg` element that is as wide as its place, in the page's colours.
    /// - Parameter width: for which letters have the page's size, at least 200.
    public func svg(width: Int, height: Int) -> String {
        let layout = FigureLayout(self, width: max(200, width), height: max(160, height))
        var canvas = VectorCanvas()
        layout.draw(on: &canvas)
        return """
            <svg viewBox="0 0 \(Int(layout.width)) \(Int(layout.height))" role="img" aria-label="\(title.escapedForMarkup)">
            \(canvas.elements.joined(separator: "\n"))
            </svg>
            """
    }
}
