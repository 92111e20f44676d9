import Foundation
import Testing

@testable import Imaging

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("Figures")
struct FigureTests {
    private static func figure(lines: Int, points: Int = 6, label: String = "line", isLogarithmic: Bool = false)
        -> Figure
    {
        let series = (0..<lines).map { line in
            Figure.Series(
                "\(label) \(line)",
                (1...points).map { Figure.Value(Double($0), Double(line + 1) * 10 / Double($0), error: 0.5) },
                mark: .line(.solid, .disc), paint: .series(line))
        }
        return Figure(
            "Title", note: "note", x: .init("churn ε", isLogarithmic: isLogarithmic),
            y: .init("NFE", unit: "calls", isLogarithmic: isLogarithmic), series: series)
    }

    private static func near(_ image: Image, _ colour: Colour, tolerance: Int = 24) -> Int {
        stride(from: 0, to: image.bytes.count, by: 3).count {
            abs(Int(image.bytes[$0]) - Int(colour.red)) <= tolerance
                && abs(Int(image.bytes[$0 + 1]) - Int(colour.green)) <= tolerance
                && abs(Int(image.bytes[$0 + 2]) - Int(colour.blue)) <= tolerance
        }
    }

    @Test func linesDotsAndLettersAppear() {
        let image = Figure(
            "Title", x: .init("x"), y: .init("y"),
            series: [
                .init("line", points: [(0, 0), (1, 1), (2, 0)], paint: .series(0)),
                .init("dots", points: [(0.5, 0.9)], mark: .dots(diameter: 9), paint: .series(1)),
            ]
        ).image(width: 400, height: 300)
        #expect(image.width == 400 && image.height == 300 && image.channels == 3)
        #expect(Self.near(image, Colour.palette[0]) > 300)
        // A disc of 9 pixels across has 64 of them, its border shaded; the legend has one more.
        #expect((80...180).contains(Self.near(image, Colour.palette[1])))
        #expect(Self.near(image, Paint.ink.colour, tolerance: 60) > 100)
    }

    /// Nothing, one point, the same point twice, infinities, all sizes: a figure of them is dull but no error.
    @Test(arguments: [false, true])
    func anythingCanBeDrawn(isLogarithmic: Bool) {
        let lists: [[(Double, Double)]] = [
            [], [(1, 1)], [(0, 0), (0, 0)], [(-1, -1), (0, 0)],
            [(.nan, 0), (0, .infinity), (1e300, -1e300), (3, 1e-300)],
            [(-Double.greatestFiniteMagnitude, 1), (Double.greatestFiniteMagnitude, 2)],
            [(.leastNonzeroMagnitude, 1e308), (1e-300, 1e-308)],
        ]
        for points in lists {
            for mark in [Figure.Mark.line(.dotted, .ring), .dots(), .boxes] {
                let values = points.map { Figure.Value($0.0, $0.1, error: $0.1) }
                let figure = Figure(
                    "ü τ 漢字", x: .init("ε", isLogarithmic: isLogarithmic), y: .init("", isLogarithmic: isLogarithmic),
                    series: [.init("s", values, mark: mark, paint: .ink), .init("t", values, mark: mark, paint: .ink)])
                #expect(figure.image(width: 10, height: 10).width == 200)
                #expect(!figure.svg(width: 1, height: 1).isEmpty)
            }
        }
        #expect(Figure("", x: .init(""), y: .init(""), series: []).image(width: .max, height: 1).width == 1 << 14)
    }

    /// A legend has a place where nothing is drawn, however many lines there are.
    @Test(arguments: [1, 2, 4, 8, 12, 30])
    func legendsCoverNoData(lines: Int) throws {
        for size in [(900, 560), (358, 320)] {
            let figure = Self.figure(lines: lines, label: "a line with a name")
            let layout = FigureLayout(figure, width: size.0, height: size.1)
            guard lines > 1 else {
                #expect(layout.legendPlace == nil)
                continue
            }
            let (x, y) = try #require(layout.legendPlace)
            #expect(x.upperBound <= layout.width && y.upperBound <= layout.height)
            #expect(!layout.places.contains { x.contains($0.x) && y.contains($0.y) })
        }
    }

    @Test func ticksAreRoundNumbers() {
        func labels(_ axis: Figure.Axis, _ values: [Double], count: Int) -> [String] {
            AxisScale(axis, values: values, from: 0, to: 600).ticks(about: count).map(\.label)
        }
        #expect(labels(.init("", range: 0...1), [], count: 5) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(labels(.init("", range: -50...50), [], count: 4) == ["−50", "0", "50"])
        #expect(
            labels(.init("", isLogarithmic: true, range: 1...100), [], count: 7) == [
                "1", "2", "5", "10", "20", "50", "100",
            ])
        #expect(
            labels(.init("", isLogarithmic: true, range: 1e-8...1e8), [], count: 4)
                == ["10⁻⁵", "1", "100,000"])
        #expect(labels(.init("", names: ["a", "b"]), [0, 1], count: 9) == ["a", "b"])
    }

    /// Greek, mathematics, names in Latin letters: each character has a glyph of its own.
    @Test func charactersHaveGlyphs() {
        let replacement = Typeface.glyph(of: "\u{FFFD}")
        for scalar in "aZ09ετφγδΔαβμσπλΩ‖²³⁴₁₂±×·−–—…√∞≤≥∇∂Σ∈→éüñøłžŠЖя".unicodeScalars {
            let glyph = Typeface.glyph(of: scalar)
            #expect(
                glyph.contours.flatMap { $0 }.count != replacement.contours.flatMap { $0 }.count
                    || glyph.advance != replacement.advance, "\(scalar)")
            #expect(glyph.advance > 0 && !glyph.contours.isEmpty)
        }
        #expect(Typeface.glyph(of: "漢").advance == replacement.advance)
        #expect(Typeface.glyph(of: " ").contours.isEmpty)
        #expect(Typeface.shortened("a long name", to: 40, size: 13).hasSuffix("…"))
    }

    /// An A is narrow at its top and wide at its foot, and its edges have grey pixels.
    @Test func lettersAreSmooth() {
        var image = Image(width: 60, height: 60, channels: 3, fill: 255)
        image.drawText("A", at: Point(8, 50), size: 56, .black)
        func inked(_ row: Int) -> Int { (0..<60).count { image.bytes[(row * 60 + $0) * 3] < 128 } }
        #expect(inked(12) > 0 && inked(12) < inked(48))
        #expect(image.bytes.contains { $0 > 40 && $0 < 215 })
    }

    /// A square that lies between pixels covers each by its part, and no more than it has in all.
    @Test func coverageAddsUp() {
        for offset in [0.0, 0.25, 0.5, 0.9] {
            let square = [
                Point(2 + offset, 3 + offset), Point(5 + offset, 3 + offset), Point(5 + offset, 6 + offset),
                Point(2 + offset, 6 + offset),
            ]
            var sum = 0.0
            Coverage([square], within: (20, 20)).forEach { _, _, part in sum += part }
            #expect(abs(sum - 9) < 1e-9)
        }
        // What lies outside is cut off, to the left too.
        var sum = 0.0
        Coverage([[Point(-5, -5), Point(4, -5), Point(4, 4), Point(-5, 4)]], within: (10, 10)).forEach { sum += $2 }
        #expect(abs(sum - 16) < 1e-9)
        let slanted = [Point(0, 0), Point(10, 0), Point(0, 10)]
        sum = 0
        Coverage([slanted], within: (10, 10)).forEach { sum += $2 }
        #expect(abs(sum - 50) < 1e-9)
    }

    /// The page's figure is XML, whatever names are in it.
    @Test func vectorsAreWellFormed() throws {
        let hostile = "</text><script>alert(1)</script> & \"'\u{0}\u{1B}\u{202E}"
        let figure = Figure(
            hostile, note: hostile, x: .init(hostile, names: [hostile]), y: .init(hostile, unit: hostile),
            series: [
                .init(hostile, points: [(0, 1), (1, 2)], paint: .series(0)),
                .init(hostile + "2", points: [(0, 2), (1, 1)], mark: .dots(), paint: .series(1).weakened(to: 0.5)),
            ])
        let text = figure.svg(width: 860, height: 430)
        #expect(!text.contains("<script"))
        let parser = XMLParser(data: Data(text.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        for list in [[], [1.0], [1, .nan, 2]] {
            let small = Figure(
                "t", x: .init("x"), y: .init("y"), series: [.init("s", points: list.map { ($0, $0) }, paint: .ink)])
            #expect(XMLParser(data: Data(small.svg(width: 358, height: 200).utf8)).parse())
        }
    }
}
