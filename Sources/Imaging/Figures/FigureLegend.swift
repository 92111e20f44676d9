/// The names of a figure's series on a ground of their own: where the figure is empty, beside it, or below it.
struct FigureLegend {
    let x, y: ClosedRange<Double>
    private let entries: [Figure.Series]
    private let columns: Int
    private let columnWidth: Double
    private let hasFrame: Bool

    private static let (textSize, rowHeight, sample, padding) = (13.0, 20.0, 34.0, 8.0)
    private static let longestName = 320.0

    private static func nameWidth(_ entries: [Figure.Series]) -> Double {
        min(longestName, entries.map { Typeface.width(of: $0.label, size: textSize) }.max() ?? 0)
    }

    /// In an empty place of the figure, corners first; nil if there is none.
    init?(
        _ entries: [Figure.Series], insideOf area: (x: ClosedRange<Double>, y: ClosedRange<Double>),
        avoiding places: [Point]
    ) {
        let width = Self.nameWidth(entries) + Self.sample + 8 + 2 * Self.padding
        let height = Double(entries.count) * Self.rowHeight + 2 * Self.padding - 4
        let (left, right) = (area.x.lowerBound + 10, area.x.upperBound - 10 - width)
        let (top, bottom) = (area.y.lowerBound + 8, area.y.upperBound - 10 - height)
        guard entries.count <= 10, left <= right, top <= bottom else { return nil }
        func between(_ a: Double, _ b: Double, _ part: Double) -> Double { a + (b - a) * part }
        // Across, down, as parts of the room there is.
        let corners = [
            (1.0, 0.0), (0, 0), (1, 1), (0, 1), (0.5, 0), (0.5, 1), (1, 0.5), (0, 0.5), (0.25, 0), (0.75, 0),
            (0.5, 0.5),
        ]
        for (across, down) in corners {
            let (x, y) = (between(left, right, across), between(top, bottom, down))
            let isFree = !places.contains { point in
                point.x > x - 8 && point.x < x + width + 8 && point.y > y - 8 && point.y < y + height + 8
            }
            guard isFree else { continue }
            (self.x, self.y) = (x...x + width, y...y + height)
            (self.entries, columns, columnWidth, hasFrame) = (entries, 1, width, true)
            return
        }
        return nil
    }

    /// On the right; nil if that would leave the figure too little.
    init?(_ entries: [Figure.Series], besideOf area: (x: ClosedRange<Double>, y: ClosedRange<Double>)) {
        let width = Self.nameWidth(entries) + Self.sample + 8 + 2 * Self.padding
        let height = Double(entries.count) * Self.rowHeight + 2 * Self.padding - 4
        guard width < 0.42 * (area.x.upperBound - area.x.lowerBound), area.x.upperBound - width > 400,
            height <= area.y.upperBound - area.y.lowerBound + 10
        else { return nil }
        x = area.x.upperBound + 6 - width...area.x.upperBound + 6
        y = area.y.lowerBound...area.y.lowerBound + height
        (self.entries, columns, columnWidth, hasFrame) = (entries, 1, width, false)
    }

    /// In as many columns as there is room for.
    init(_ entries: [Figure.Series], from left: Double, to right: Double, below top: Double) {
        let width = Self.nameWidth(entries) + Self.sample + 8 + 18
        columns = max(1, min(entries.count, Int((right - left + 18) / width)))
        columnWidth = min(width, right - left + 18)
        let rows = (entries.count + columns - 1) / columns
        (x, y) = (left - Self.padding...right, top...top + Double(rows) * Self.rowHeight + 2 * Self.padding - 4)
        (self.entries, hasFrame) = (entries, false)
    }

    func draw(on canvas: inout some Canvas) {
        if hasFrame {
            canvas.fillBox(x, y, .ground)
            canvas.stroke(
                [
                    Point(x.lowerBound, y.lowerBound), Point(x.upperBound, y.lowerBound),
                    Point(x.upperBound, y.upperBound), Point(x.lowerBound, y.upperBound),
                    Point(x.lowerBound, y.lowerBound),
                ], width: 1, dash: [], .grid)
        }
        let rows = (entries.count + columns - 1) / columns
        for (index, series) in entries.enumerated() {
            let left = x.lowerBound + Self.padding + Double(index / rows) * columnWidth
            let middle = y.lowerBound + Self.padding - 2 + (Double(index % rows) + 0.5) * Self.rowHeight
            drawSample(of: series, from: left, middle: middle, on: &canvas)
            let room = columnWidth - Self.sample - 8 - 8
            canvas.text(
                Typeface.shortened(series.label, to: max(40, room), size: Self.textSize),
                at: Point(left + Self.sample + 8, middle + Self.textSize * 0.36), size: Self.textSize, anchor: .start,
                isUpright: false, .ink)
        }
    }

    private func drawSample(of series: Figure.Series, from left: Double, middle: Double, on canvas: inout some Canvas) {
        let centre = Point(left + Self.sample / 2, middle)
        switch series.mark {
        case .line(let dash, let marker):
            // A single point has no line.
            let isLine = series.values.count > 1
            canvas.stroke(
                isLine ? [Point(left, middle), Point(left + Self.sample, middle)] : [], width: 2, dash: dash.lengths,
                series.paint)
            if let marker, series.values.count <= 40 { canvas.draw(marker, at: centre, series.paint) }
        case .dots(let diameter):
            // Strong enough to be seen, however weak they are one by one.
            let paint = Paint(series.paint.role, strength: max(series.paint.strength, 0.7))
            canvas.fill(discs: [centre], radius: max(3.5, diameter / 2), paint)
        case .boxes: canvas.fillBox(left + 4...left + Self.sample - 4, middle - 5...middle + 5, series.paint)
        }
    }
}
