import Foundation

/// Draws on the pixels of a picture, with smooth edges.
struct PictureCanvas: Canvas {
    private(set) var image: Image

    init(width: Int, height: Int) { image = Image(width: width, height: height, channels: 3, fill: 255) }

    mutating func fill(_ polygon: [Point], _ paint: Paint) {
        image.fill([polygon], paint.colour, strength: paint.strength)
    }

    mutating func stroke(_ line: [Point], width: Double, dash: [Double], _ paint: Paint) {
        let parts = dash.isEmpty ? [line] : Self.dashes(of: line, dash)
        image.fill(
            parts.flatMap { Self.outline(of: $0, width: width) }, paint.colour, strength: paint.strength)
    }

    mutating func fill(discs: [Point], radius: Double, _ paint: Paint) {
        for centre in discs { image.fill([Self.disc(centre, radius)], paint.colour, strength: paint.strength) }
    }

    mutating func text(
        _ text: String, at point: Point, size: Double, anchor: TextAnchor, isUpright: Bool, _ paint: Paint
    ) {
        image.drawText(
            text, at: point, size: size, anchor: anchor, isUpright: isUpright, paint.colour, strength: paint.strength)
    }

    /// The dashes of a line, each a line of its own.
    private static func dashes(of line: [Point], _ dash: [Double]) -> [[Point]] {
        guard let first = line.first, dash.allSatisfy({ $0 > 0 }) else { return [line] }
        var (parts, current) = ([[Point]](), [first])
        var (index, left) = (0, dash[0])
        for (a, b) in zip(line, line.dropFirst()) {
            let length = hypot(b.x - a.x, b.y - a.y)
            var done = 0.0
            while length - done > left {
                done += left
                let place = Point(a.x + (b.x - a.x) * done / length, a.y + (b.y - a.y) * done / length)
                if index % 2 == 0 { parts.append(current + [place]) }
                index += 1
                left = dash[index % dash.count]
                current = [place]
            }
            left -= length - done
            current.append(b)
        }
        if index % 2 == 0, current.count > 1 { parts.append(current) }
        return parts
    }

    /// Shapes that together cover a thick line, all of them the same way round: a band along each part without sharp corners, and discs
    /// between. Shapes that overlap add up at their edges, which would be rough with a shape for every point of a curve.
    private static func outline(of line: [Point], width: Double) -> [[Point]] {
        var points: [Point] = []
        for point in line where points.last.map({ hypot(point.x - $0.x, point.y - $0.y) > 0.25 }) ?? true {
            points.append(point)
        }
        guard points.count > 1 else { return [] }
        let half = width / 2
        let normals = zip(points, points.dropFirst()).map { a, b in
            let length = hypot(b.x - a.x, b.y - a.y)
            return Point(-(b.y - a.y) / length, (b.x - a.x) / length)
        }
        var (shapes, left, right) = ([[Point]](), [Point](), [Point]())
        func add(_ point: Point, _ normal: Point, reach: Double) {
            left.append(point.moved(normal.x * reach, normal.y * reach))
            right.append(point.moved(-normal.x * reach, -normal.y * reach))
        }
        add(points[0], normals[0], reach: half)
        for (index, (before, after)) in zip(normals, normals.dropFirst()).enumerated() {
            let corner = points[index + 1]
            let cosine = before.x * after.x + before.y * after.y
            if cosine > 0.85 {
                // Along the middle of both, as far as both edges meet.
                let sum = Point(before.x + after.x, before.y + after.y)
                let length = hypot(sum.x, sum.y)
                add(corner, Point(sum.x / length, sum.y / length), reach: half * 2 / length)
            } else {
                add(corner, before, reach: half)
                shapes += [left + right.reversed(), disc(corner, half)]
                (left, right) = ([], [])
                add(corner, after, reach: half)
            }
        }
        add(points[points.count - 1], normals[normals.count - 1], reach: half)
        return shapes + [left + right.reversed()]
    }

    private static func disc(_ centre: Point, _ radius: Double) -> [Point] {
        let corners = max(8, min(64, Int(radius * 6)))
        return (0..<corners).map { index in
            let angle = 2 * Double.pi * Double(index) / Double(corners)
            return centre.moved(radius * cos(angle), radius * sin(angle))
        }
    }
}

extension Image {
    /// Fills closed shapes; what lies outside is left out.
    mutating func fill(_ polygons: [[Point]], _ colour: Colour, strength: Double = 1) {
        guard channels == 3 else { return }
        let (target, stride) = ((Double(colour.red), Double(colour.green), Double(colour.blue)), width * 3)
        Coverage(polygons, within: (width, height)).forEach { x, y, part in
            let (offset, weight) = (y * stride + x * 3, part * strength)
            func mixed(_ old: UInt8, _ new: Double) -> UInt8 {
                UInt8((Double(old) + weight * (new - Double(old))).rounded())
            }
            bytes[offset] = mixed(bytes[offset], target.0)
            bytes[offset + 1] = mixed(bytes[offset + 1], target.1)
            bytes[offset + 2] = mixed(bytes[offset + 2], target.2)
        }
    }

    /// A line of text.
    /// - Parameters:
    ///   - point: on the base line.
    ///   - size: in pixels, from line to line.
    mutating func drawText(
        _ text: String, at point: Point, size: Double, anchor: TextAnchor = .start, isUpright: Bool = false,
        _ colour: Colour = Paint.ink.colour, strength: Double = 1
    ) {
        let width = Typeface.width(of: text, size: size)
        var along =
            switch anchor {
            case .start: 0.0
            case .middle: -width / 2
            case .end: -width
            }
        for scalar in text.unicodeScalars {
            let glyph = Typeface.glyph(of: scalar)
            let polygons = glyph.contours.map { contour in
                Self.flattened(contour, size: size).map { corner in
                    let (x, y) = (along + corner.x, corner.y)
                    return isUpright ? point.moved(y, -x) : point.moved(x, y)
                }
            }
            fill(polygons, colour, strength: strength)
            along += glyph.advance * size
        }
    }

    /// An outline without its curves, y downwards.
    private static func flattened(_ contour: [Typeface.Corner], size: Double) -> [Point] {
        var result: [Point] = []
        func middle(_ a: Typeface.Corner, _ b: Typeface.Corner) -> Typeface.Corner {
            Typeface.Corner(x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, isOnCurve: true)
        }
        guard let last = contour.last else { return [] }
        // Two corners off the curve in a row have one on it between them.
        var here = last.isOnCurve ? last : contour[0].isOnCurve ? contour[0] : middle(last, contour[0])
        for (index, corner) in contour.enumerated() {
            guard !corner.isOnCurve else {
                result.append(Point(corner.x * size, -corner.y * size))
                here = corner
                continue
            }
            let next = contour[(index + 1) % contour.count]
            let end = next.isOnCurve ? next : middle(corner, next)
            let parts = size < 30 ? 4 : 8
            for part in 1...parts {
                let t = Double(part) / Double(parts)
                let (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
                result.append(
                    Point(
                        (a * here.x + b * corner.x + c * end.x) * size, -(a * here.y + b * corner.y + c * end.y) * size)
                )
            }
            here = end
        }
        return result
    }
}
