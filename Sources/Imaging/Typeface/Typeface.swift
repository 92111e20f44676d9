import Foundation

/// The letters of plots and labels: outlines of DejaVu Sans, at any size. What it has no glyph for is shown as a box, so that
/// names in any script take their place, and nobody takes them for another name.
enum Typeface {
    /// A corner of an outline in units of the size, y upwards; curves between are quadratic, with corners off them.
    struct Corner {
        let x, y: Double
        let isOnCurve: Bool
    }

    struct Glyph {
        let advance: Double
        let contours: [[Corner]]
    }

    /// From the base line, in units of the size.
    static let (ascent, descent, capitalHeight) = (0.93, 0.24, 0.73)

    /// In units of the size.
    static func glyph(of scalar: Unicode.Scalar) -> Glyph {
        glyphs[scalar.value] ?? glyphs[0xFFFD] ?? Glyph(advance: 0.6, contours: [])
    }

    /// In pixels.
    static func width(of text: String, size: Double) -> Double {
        text.unicodeScalars.reduce(0) { $0 + glyph(of: $1).advance } * size
    }

    /// The text in so many pixels, with an ellipsis in place of what has no room.
    static func shortened(_ text: String, to width: Double, size: Double) -> String {
        guard self.width(of: text, size: size) > width else { return text }
        var kept = text[...]
        while !kept.isEmpty, self.width(of: kept + "…", size: size) > width { kept = kept.dropLast() }
        return kept + "…"
    }

    private static let glyphs: [UInt32: Glyph] = {
        var reader = Reader(bytes: Data(base64Encoded: encodedOutlines) ?? Data())
        var (glyphs, code) = ([UInt32: Glyph](), 0)
        while !reader.isAtEnd {
            code += reader.integer()
            let advance = Double(reader.integer()) / unitsPerSize
            let contours = (0..<reader.integer()).map { _ in
                var (x, y) = (0, 0)
                return (0..<reader.integer()).map { _ in
                    let step = reader.integer()
                    x += Reader.signed(step >> 1)
                    y += Reader.signed(reader.integer())
                    return Corner(
                        x: Double(x) / unitsPerSize, y: Double(y) / unitsPerSize, isOnCurve: step & 1 == 1)
                }
            }
            glyphs[UInt32(code)] = Glyph(advance: advance, contours: contours)
        }
        return glyphs
    }()

    /// Numbers of variable length, seven bits a byte.
    private struct Reader {
        private let bytes: [UInt8]
        private var position = 0

        init(bytes: Data) { self.bytes = Array(bytes) }

        var isAtEnd: Bool { position >= bytes.count }

        mutating func integer() -> Int {
            var (value, shift) = (0, 0)
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                value |= Int(byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
            return value
        }

        static func signed(_ value: Int) -> Int { value & 1 == 0 ? value >> 1 : -((value + 1) >> 1) }
    }
}
