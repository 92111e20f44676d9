/// Where everything of a figure is, for one size.
struct FigureLayout {
    let width, height: Double
    private let figure: Figure
    private let titleLines, noteLines: [String]
    private let x, y: AxisScale
    private let xTicks, yTicks: [AxisScale.Tick]
    private let legend: FigureLegend?
    /// Where something is drawn, and where the names are; nil for none.
    var places: [Point] { Self.occupied(figure, x, y) }
    var legendPlace: (x: ClosedRange<Double>, y: ClosedRange<Double>)? { legend.map { ($0.x, $0.y) } }

    private static let (titleSize, textSize, tickSize) = (16.0, 14.0, 13.0)
    private static let (lineHeight, gap) = (21.0, 8.0)

    init(_ figure: Figure, width: Int, height: Int) {
        self.figure = figure
        self.width = Double(width)
        titleLines = Self.lines(of: figure.title, width: Double(width) - 24, size: Self.titleSize)
        noteLines = Self.lines(of: figure.note, width: Double(width) - 24, size: Self.tickSize)
        let top = 12 + Double(titleLines.count) * 22 + Double(noteLines.count) * 18 + 10
        let bottom = Self.gap + 18 + (figure.x.label.isEmpty ? 0 : 24) + 6

        let values = figure.series.flatMap(\.values)
        let extremes = values.flatMap { value in value.error.map { [value.y - $0, value.y + $0] } ?? [value.y] }
        // First along no length, to see how wide the numbers are.
        let roughY = AxisScale(figure.y, values: extremes, from: Double(height) - bottom, to: top)
        yTicks = roughY.ticks(about: max(3, (height - Int(top + bottom)) / 46))
        let numbers = yTicks.map { Typeface.width(of: $0.label, size: Self.tickSize) }.max() ?? 0
        let left = 10 + (figure.y.label.isEmpty ? 0 : 24) + numbers + Self.gap
        // The last number along the axis is half outside.
        let lastNumber = AxisScale(figure.x, values: values.map(\.x), from: left, to: self.width).ticks(about: 4).last
        let overhang = lastNumber.map { Typeface.width(of: $0.label, size: Self.tickSize) / 2 + 6 } ?? 0
        var right = self.width - max(18, overhang)

        let entries = figure.series.filter { !$0.label.isEmpty }
        var roughX = AxisScale(figure.x, values: values.map(\.x), from: left, to: right)
        var plan: FigureLegend?
        var below = 0.0
        // One line needs no name but the title's.
        if entries.count > 1 || figure.series.count > 1 && !entries.isEmpty {
            let places = Self.occupied(figure, roughX, roughY)
            let area = (x: left...right, y: top...Double(height) - bottom)
            if let inside = FigureLegend(entries, insideOf: area, avoiding: places) {
                plan = inside
            } else if let beside = FigureLegend(entries, besideOf: area) {
                plan = beside
                right = beside.x.lowerBound - 12
                roughX = roughX.placed(from: left, to: right)
            } else {
                let under = FigureLegend(entries, from: left, to: right, below: Double(height))
                plan = under
                below = under.y.upperBound - under.y.lowerBound + 6
            }
        }
        legend = plan
        self.height = (Double(height) + below).rounded(.up)
        (x, y) = (roughX, roughY)
        let span = right - left
        var ticks = roughX.ticks(about: max(2, Int(span / 80)))
        // Numbers that would touch each other are too many.
        func needed(_ ticks: [AxisScale.Tick]) -> Double {
            ticks.reduce(0) { $0 + Typeface.width(of: $1.label, size: Self.tickSize) + 14 }
        }
        if needed(ticks) > span { ticks = roughX.ticks(about: max(2, Int(span / 130))) }
        xTicks = ticks
    }

    private var left: Double { min(x.start, x.end) }
    private var right: Double { max(x.start, x.end) }
    private var top: Double { min(y.start, y.end) }
    private var bottom: Double { max(y.start, y.end) }

    func draw(on canvas: inout some Canvas) {
        drawTitles(on: &canvas)
        drawGrid(on: &canvas)
        for series in figure.series { draw(series, on: &canvas) }
        // The axes over what touches them.
        canvas.stroke(
            [Point(left, top), Point(left, bottom), Point(right, bottom)], width: 1.2, dash: [], .muted)
        legend?.draw(on: &canvas)
    }

    private func drawTitles(on canvas: inout some Canvas) {
        var base = 12 + Self.titleSize * 0.8
        for line in titleLines {
            canvas.text(line, at: Point(12, base), size: Self.titleSize, anchor: .start, isUpright: false, .ink)
            base += 22
        }
        base -= 2
        for line in noteLines {
            canvas.text(line, at: Point(12, base), size: Self.tickSize, anchor: .start, isUpright: false, .muted)
            base += 18
        }
    }

    private func drawGrid(on canvas: inout some Canvas) {
        for tick in xTicks {
            guard let place = x.pixel(tick.value) else { continue }
            canvas.stroke([Point(place, top), Point(place, bottom)], width: 1, dash: [], .grid)
            canvas.stroke([Point(place, bottom), Point(place, bottom + 4)], width: 1, dash: [], .muted)
            canvas.text(
                tick.label, at: Point(place, bottom + Self.gap + 12), size: Self.tickSize, anchor: .middle,
                isUpright: false, .muted)
        }
        for tick in yTicks {
            guard let place = y.pixel(tick.value) else { continue }
            canvas.stroke([Point(left, place), Point(right, place)], width: 1, dash: [], .grid)
            canvas.stroke([Point(left - 4, place), Point(left, place)], width: 1, dash: [], .muted)
            canvas.text(
                tick.label, at: Point(left - Self.gap, place + Self.tickSize * 0.36), size: Self.tickSize,
                anchor: .end, isUpright: false, .muted)
        }
        if !figure.x.label.isEmpty {
            canvas.text(
                figure.x.title, at: Point((left + right) / 2, bottom + Self.gap + 36), size: Self.textSize,
                anchor: .middle, isUpright: false, .ink)
        }
        if !figure.y.label.isEmpty {
            canvas.text(
                figure.y.title, at: Point(22, (top + bottom) / 2), size: Self.textSize, anchor: .middle,
                isUpright: true, .ink)
        }
    }

    private func place(_ value: Figure.Value) -> Point? {
        guard let x = x.pixel(value.x), let y = y.pixel(value.y) else { return nil }
        return Point(x, y)
    }

    private func isInside(_ point: Point) -> Bool {
        point.x >= left - 0.5 && point.x <= right + 0.5 && point.y >= top - 0.5 && point.y <= bottom + 0.5
    }

    private func draw(_ series: Figure.Series, on canvas: inout some Canvas) {
        for value in series.values { drawBar(value, series.paint, on: &canvas) }
        switch series.mark {
        case .line(let dash, let marker):
            let points = series.values.compactMap(place)
            for line in Self.cut(points, x: left...right, y: top...bottom) {
                canvas.stroke(line, width: 2, dash: dash.lengths, series.paint)
            }
            guard let marker, points.count <= 40 else { return }
            for point in points where isInside(point) { canvas.draw(marker, at: point, series.paint) }
        case .dots(let diameter):
            canvas.fill(
                discs: series.values.compactMap(place).filter(isInside), radius: diameter / 2, series.paint)
        case .boxes:
            for (a, b) in zip(series.values, series.values.dropFirst()).enumerated().filter({ $0.offset % 2 == 0 }).map(
                \.element)
            {
                guard let one = place(a), let other = place(b) else { continue }
                func within(_ a: Double, _ b: Double, _ range: ClosedRange<Double>) -> ClosedRange<Double> {
                    (min(a, b)...max(a, b)).clamped(to: range)
                }
                canvas.fillBox(
                    within(one.x, other.x, left...right), within(one.y, other.y, top...bottom), series.paint)
            }
        }
    }

    private func drawBar(_ value: Figure.Value, _ paint: Paint, on canvas: inout some Canvas) {
        guard let error = value.error, error.isFinite, error > 0, let x = x.pixel(value.x), x >= left - 0.5,
            x <= right + 0.5, let high = y.pixel(value.y + error)
        else { return }
        // On a logarithmic axis a bar may go down without end.
        let low = y.pixel(value.y - error) ?? bottom
        let (upper, lower) = (max(min(high, low), top), min(max(high, low), bottom))
        guard upper < lower else { return }
        canvas.stroke([Point(x, upper), Point(x, lower)], width: 1.3, dash: [], paint)
        for end in [upper, lower] {
            canvas.stroke([Point(x - 4, end), Point(x + 4, end)], width: 1.3, dash: [], paint)
        }
    }

    /// The parts of a line within a box.
    private static func cut(_ points: [Point], x: ClosedRange<Double>, y: ClosedRange<Double>) -> [[Point]] {
        var lines: [[Point]] = []
        for (a, b) in zip(points, points.dropFirst()) {
            // Liang and Barsky: the part of the segment before each border is cut off.
            var (from, to) = (0.0, 1.0)
            let (dx, dy) = (b.x - a.x, b.y - a.y)
            for (step, room) in [
                (-dx, a.x - x.lowerBound), (dx, x.upperBound - a.x), (-dy, a.y - y.lowerBound),
                (dy, y.upperBound - a.y),
            ] {
                if step == 0 {
                    if room < 0 { from = 2 }
                } else if step < 0 {
                    from = max(from, room / step)
                } else {
                    to = min(to, room / step)
                }
            }
            guard from <= to else { continue }
            let (start, end) = (a.moved(from * dx, from * dy), a.moved(to * dx, to * dy))
            if from == 0, let last = lines.last?.last, last == a {
                lines[lines.count - 1].append(end)
            } else {
                lines.append([start, end])
            }
        }
        return lines
    }

    /// Places that a legend must not cover.
    private static func occupied(_ figure: Figure, _ x: AxisScale, _ y: AxisScale) -> [Point] {
        figure.series.flatMap { series -> [Point] in
            func place(_ px: Double, _ py: Double) -> Point? {
                guard let px = x.pixel(px), let py = y.pixel(py) else { return nil }
                return Point(px, py)
            }
            let points = series.values.flatMap { value in
                ([value.y] + (value.error.map { [value.y - $0, value.y + $0] } ?? [])).compactMap { place(value.x, $0) }
            }
            if case .dots = series.mark { return points }
            let path = series.values.compactMap { place($0.x, $0.y) }
            let between = zip(path, path.dropFirst()).flatMap { a, b in
                let parts = min(200, max(1, Int(max(abs(a.x - b.x), abs(a.y - b.y)) / 5)))
                return (0...parts).map {
                    Point(
                        a.x + (b.x - a.x) * Double($0) / Double(parts), a.y + (b.y - a.y) * Double($0) / Double(parts))
                }
            }
            return points + between
        }
    }

    /// A text in lines of no more than so many pixels, broken between words.
    private static func lines(of text: String, width: Double, size: Double) -> [String] {
        guard !text.isEmpty else { return [] }
        var lines = [""]
        for word in text.split(separator: " ") {
            let longer = (lines.last ?? "").isEmpty ? String(word) : "\(lines[lines.count - 1]) \(word)"
            if Typeface.width(of: longer, size: size) <= width || (lines.last ?? "").isEmpty {
                lines[lines.count - 1] = longer
            } else {
                lines.append(String(word))
            }
        }
        return lines.prefix(4).map { Typeface.shortened($0, to: width, size: size) }
    }
}

extension Figure.Dash {
    /// Of dashes and gaps.
    var lengths: [Double] {
        switch self {
        case .solid: []
        case .dashed: [8, 5]
        case .dotted: [2, 4]
        case .dashDotted: [10, 4, 2, 4]
        }
    }
}

extension Canvas {
    mutating func draw(_ marker: Figure.Marker, at point: Point, _ paint: Paint) {
        // A point of its own colour, whatever shines through its line.
        switch marker {
        case .disc: fill(discs: [point], radius: 3.8, paint)
        case .ring:
            fill(discs: [point], radius: 4.2, paint)
            fill(discs: [point], radius: 2.2, .ground)
        case .square: fillBox(point.x - 3.5...point.x + 3.5, point.y - 3.5...point.y + 3.5, paint)
        case .diamond:
            fill([point.moved(0, -5), point.moved(4.6, 0), point.moved(0, 5), point.moved(-4.6, 0)], paint)
        case .triangle: fill([point.moved(0, -5), point.moved(4.6, 3.4), point.moved(-4.6, 3.4)], paint)
        }
    }
}
