import Foundation

/// Draws the elements of an SVG picture, whose colours are the page's: `--ink`, `--muted`, `--faint`, `--grid`, `--ground` and `--s0`, `--s1`, ….
struct VectorCanvas: Canvas {
    private(set) var elements: [String] = []

    mutating func fill(_ polygon: [Point], _ paint: Paint) {
        elements.append("<path d=\"\(Self.path(polygon))Z\"\(Self.attribute("fill", paint))/>")
    }

    mutating func stroke(_ line: [Point], width: Double, dash: [Double], _ paint: Paint) {
        guard line.count > 1 else { return }
        let gaps = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash.map(Self.number).joined(separator: " "))\""
        elements.append(
            "<path d=\"\(Self.path(line))\" fill=\"none\" stroke-width=\"\(Self.number(width))\" stroke-linejoin=\"round\"\(gaps)\(Self.attribute("stroke", paint))/>"
        )
    }

    /// Round ends of lines without length: a few bytes a disc.
    mutating func fill(discs: [Point], radius: Double, _ paint: Paint) {
        guard !discs.isEmpty else { return }
        let path = discs.map { "M\(Self.number($0.x)) \(Self.number($0.y))h0" }.joined()
        elements.append(
            "<path d=\"\(path)\" fill=\"none\" stroke-linecap=\"round\" stroke-width=\"\(Self.number(2 * radius))\"\(Self.attribute("stroke", paint))/>"
        )
    }

    mutating func text(
        _ text: String, at point: Point, size: Double, anchor: TextAnchor, isUpright: Bool, _ paint: Paint
    ) {
        let (x, y) = (Self.number(point.x), Self.number(point.y))
        let turn = isUpright ? " transform=\"rotate(-90 \(x) \(y))\"" : ""
        elements.append(
            "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(Self.number(size))\" text-anchor=\"\(anchor.rawValue)\"\(turn)\(Self.attribute("fill", paint))>\(text.escapedForMarkup)</text>"
        )
    }

    private static func path(_ points: [Point]) -> String {
        points.enumerated().map { "\($0 == 0 ? "M" : "L")\(number($1.x)) \(number($1.y))" }.joined()
    }

    private static func attribute(_ name: String, _ paint: Paint) -> String {
        let colour =
            switch paint.role {
            case .ink: "ink"
            case .muted: "muted"
            case .faint: "faint"
            case .grid: "grid"
            case .ground: "ground"
            case .series(let number): "s\(number)"
            }
        let opacity = paint.strength < 1 ? " \(name)-opacity=\"\(String(format: "%.2g", paint.strength))\"" : ""
        return " \(name)=\"var(--\(colour))\"\(opacity)"
    }

    /// In tenths, which nobody can see the difference of.
    private static func number(_ value: Double) -> String {
        let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
        let (whole, rest) = (abs(tenths) / 10, abs(tenths) % 10)
        return "\(tenths < 0 ? "-" : "")\(whole)\(rest == 0 ? "" : ".\(rest)")"
    }
}

extension String {
    /// As text or an attribute's value of HTML and SVG. What no document may hold, such as the character 0, becomes a replacement
    /// character.
    public var escapedForMarkup: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value & 0xFFFE == 0xFFFE:
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
