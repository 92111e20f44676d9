import Foundation

/// A diagram of lines or dots, as simple as a report needs.
public struct Plot: Sendable {
    public enum Style: Sendable { case line, dashed, dots }

    public struct Series: Sendable {
        public let label: String
        public let points: [(x: Double, y: Double)]
        public let style: Style
        public let colour: Colour

        /// - Parameters:
        ///   - label: in the legend; empty for none.
        ///   - points: in order; those that are not finite are left out.
        ///   - style: how they are drawn.
        ///   - colour: of the line or the dots.
        public init(_ label: String, _ points: [(x: Double, y: Double)], style: Style = .line, colour: Colour) {
            self.label = label
            self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
            self.style = style
            self.colour = colour
        }
    }

    /// ASCII only, as all labels.
    public let title: String
    public let xLabel: String
    public let yLabel: String
    public let series: [Series]
    /// nil for the points' own.
    public let xRange: ClosedRange<Double>?
    public let yRange: ClosedRange<Double>?

    public init(
        title: String, xLabel: String, yLabel: String, series: [Series], xRange: ClosedRange<Double>? = nil,
        yRange: ClosedRange<Double>? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.series = series
        self.xRange = xRange
        self.yRange = yRange
    }

    private static let margin = (left: 84, right: 20, top: 58, bottom: 56)

    /// - Parameters:
    ///   - width: at least 200.
    ///   - height: at least 200.
    public func image(width: Int = 900, height: Int = 560) -> Image {
        var image = Image(width: max(200, width), height: max(200, height), channels: 3, fill: 255)
        let x = Axis(
            xRange, values: series.flatMap { $0.points.map(\.x) }, from: Self.margin.left,
            to: image.width - Self.margin.right)
        let y = Axis(
            yRange, values: series.flatMap { $0.points.map(\.y) }, from: image.height - Self.margin.bottom,
            to: Self.margin.top)
        drawAxes(x, y, on: &image)
        for series in series { draw(series, x, y, on: &image) }
        drawLegend(x, y, on: &image)
        return image
    }

    private func drawAxes(_ x: Axis, _ y: Axis, on image: inout Image) {
        for tick in x.ticks {
            let pixel = x.pixel(tick)
            image.drawLine(from: (pixel, y.start), to: (pixel, y.end), radius: 0, dash: 0, .lightGrey)
            let text = x.label(tick)
            image.drawText(text, x: pixel - Image.textWidth(text) / 2, y: y.start + 8)
        }
        for tick in y.ticks {
            let pixel = y.pixel(tick)
            image.drawLine(from: (x.start, pixel), to: (x.end, pixel), radius: 0, dash: 0, .lightGrey)
            let text = y.label(tick)
            image.drawText(text, x: x.start - 8 - Image.textWidth(text), y: pixel - 7)
        }
        for (from, to) in [
            ((x.start, y.start), (x.end, y.start)), ((x.start, y.end), (x.end, y.end)),
            ((x.start, y.start), (x.start, y.end)), ((x.end, y.start), (x.end, y.end)),
        ] {
            image.drawLine(from: from, to: to, radius: 0, dash: 0, .grey)
        }
        image.drawText(title, x: x.start, y: 10)
        image.drawText(yLabel, x: 10, y: 34, .grey)
        image.drawText(xLabel, x: (x.start + x.end - Image.textWidth(xLabel)) / 2, y: image.height - 22, .grey)
    }

    private func draw(_ series: Series, _ x: Axis, _ y: Axis, on image: inout Image) {
        let points = series.points.filter { x.range.contains($0.x) && y.range.contains($0.y) }
            .map { (x: x.pixel($0.x), y: y.pixel($0.y)) }
        if series.style == .dots {
            for point in points { image.drawDot(x: point.x, y: point.y, radius: 1, series.colour) }
            return
        }
        for (a, b) in zip(points, points.dropFirst()) {
            image.drawLine(from: a, to: b, radius: 1, dash: series.style == .dashed ? 6 : 0, series.colour)
        }
        if points.count <= 40 {
            for point in points { image.drawDot(x: point.x, y: point.y, radius: 3, series.colour) }
        }
    }

    private func drawLegend(_ x: Axis, _ y: Axis, on image: inout Image) {
        let labelled = series.filter { !$0.label.isEmpty }
        let width = labelled.map { Image.textWidth($0.label) }.max() ?? 0
        for (i, series) in labelled.enumerated() {
            let (left, top) = (x.end - width - 16, y.end + 10 + i * 18)
            image.drawLine(
                from: (left - 34, top + 7), to: (left - 8, top + 7), radius: 1, dash: series.style == .dashed ? 6 : 0,
                series.colour)
            image.drawText(series.label, x: left, y: top)
        }
    }
}

/// A range of values along a range of pixels.
private struct Axis {
    let range: ClosedRange<Double>
    let start: Int
    let end: Int
    private let step: Double

    init(_ range: ClosedRange<Double>?, values: [Double], from start: Int, to end: Int) {
        (self.start, self.end) = (start, end)
        if let range, range.upperBound > range.lowerBound {
            self.range = range
        } else {
            let (lowest, highest) = (values.min() ?? 0, values.max() ?? 1)
            let margin = highest > lowest ? 0.04 * (highest - lowest) : max(0.5, abs(highest) * 0.05)
            self.range = lowest - margin...highest + margin
        }
        // 1, 2 or 5 times a power of ten, about six ticks.
        let rough = (self.range.upperBound - self.range.lowerBound) / 6
        let power = pow(10, floor(log10(rough)))
        step = ([1, 2, 5].map { $0 * power }.first { $0 >= rough }) ?? 10 * power
    }

    func pixel(_ value: Double) -> Int {
        let fraction = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        guard (0...1).contains(fraction) else { return fraction > 1 ? end : start }
        return start + Int((fraction * Double(end - start)).rounded())
    }

    var ticks: [Double] {
        let (first, last) = ((range.lowerBound / step).rounded(.up), (range.upperBound / step).rounded(.down))
        guard step > 0, step.isFinite, last - first < 100 else { return [] }
        return stride(from: first, through: last, by: 1).map { $0 * step + 0 }  // + 0 makes 0 of -0
    }

    func label(_ value: Double) -> String {
        if value != 0, abs(value) >= 1e6 || step < 1e-4 { return String(format: "%.3g", value) }
        return String(format: "%.\(max(0, Int(-floor(log10(step) + 1e-9))))f", value)
    }
}
