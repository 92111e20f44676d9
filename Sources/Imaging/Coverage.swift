/// How much of each pixel a shape covers, with its edges smooth: the signed areas under its edges, summed along each row (as
/// in font-rs, R. Levien 2016). Shapes that run the same way round may overlap.
struct Coverage {
    let left, top, width, height: Int
    /// Differences along a row, with room for an edge on its right border.
    private var cells: [Double]
    private var stride: Int { width + 2 }

    /// - Parameters:
    ///   - polygons: closed, of finite corners.
    ///   - size: of the picture, beyond which nothing is kept.
    init(_ polygons: [[Point]], within size: (width: Int, height: Int)) {
        var low = Point(.infinity, .infinity)
        var high = Point(-.infinity, -.infinity)
        for point in polygons.joined() {
            low = Point(min(low.x, point.x), min(low.y, point.y))
            high = Point(max(high.x, point.x), max(high.y, point.y))
        }
        func bounded(_ value: Double, _ most: Int) -> Int { Int(min(max(value, 0), Double(most))) }
        (left, top) = (bounded(low.x.rounded(.down), size.width), bounded(low.y.rounded(.down), size.height))
        width = max(0, bounded(high.x.rounded(.up), size.width) - left)
        height = max(0, bounded(high.y.rounded(.up), size.height) - top)
        cells = [Double](repeating: 0, count: (width + 2) * height)
        guard width > 0, height > 0 else { return }
        for polygon in polygons {
            guard var last = polygon.last else { continue }
            for point in polygon {
                addEdge(from: last, to: point)
                last = point
            }
        }
    }

    /// Calls the body with each pixel that is touched, and the part of it that is covered, above 0 and at most 1.
    func forEach(_ body: (_ x: Int, _ y: Int, _ part: Double) -> Void) {
        for y in 0..<height {
            var sum = 0.0
            for x in 0..<width {
                sum += cells[y * stride + x]
                let part = min(abs(sum), 1)
                if part > 1.0 / 512 { body(left + x, top + y, part) }
            }
        }
    }

    private mutating func addEdge(from a: Point, to b: Point) {
        guard a.y != b.y else { return }
        let direction = a.y < b.y ? 1.0 : -1.0
        let (upper, lower) = a.y < b.y ? (a, b) : (b, a)
        let slope = (lower.x - upper.x) / (lower.y - upper.y)
        let (start, end) = (upper.y - Double(top), lower.y - Double(top))
        let (first, last) = (max(0, Int(max(start, 0))), min(Double(height), end.rounded(.up)))
        guard Double(first) < last else { return }
        for row in first..<Int(last) {
            let (from, to) = (max(Double(row), start), min(Double(row) + 1, end))
            guard to > from else { continue }
            func x(_ y: Double) -> Double {
                min(max(upper.x + (y - start) * slope - Double(left), 0), Double(width))
            }
            add(from: x(from), to: x(to), weight: direction * (to - from), row: row * stride)
        }
    }

    /// Part of an edge within one row: what lies right of it is covered.
    private mutating func add(from a: Double, to b: Double, weight: Double, row: Int) {
        let (low, high) = a < b ? (a, b) : (b, a)
        let first = Int(low)
        let last = Int(high.rounded(.up))
        if last <= first + 1 {
            // Within a pixel: a trapezium.
            let middle = 0.5 * (low + high) - Double(first)
            cells[row + first] += weight * (1 - middle)
            cells[row + first + 1] += weight * middle
            return
        }
        // Across several: what is covered up to each pixel's right border, less what was before.
        let perPixel = weight / (high - low)
        var before = 0.0
        for pixel in first..<last {
            let (from, to) = (max(low, Double(pixel)), min(high, Double(pixel + 1)))
            let border = Double(pixel + 1)
            // The edge's part within this pixel, and the parts left of it, which cover all of the pixel.
            let area = perPixel * ((to - from) * (border - 0.5 * (from + to)) + (from - low))
            cells[row + pixel] += area - before
            before = area
        }
        cells[row + last] += weight - before
    }
}
