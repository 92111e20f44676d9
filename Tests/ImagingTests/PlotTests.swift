import Imaging
import Testing

@Suite("Plots")
struct PlotTests {
    static func inked(_ image: Image, _ colour: Colour) -> Int {
        stride(from: 0, to: image.bytes.count, by: 3).count {
            image.bytes[$0] == colour.red && image.bytes[$0 + 1] == colour.green && image.bytes[$0 + 2] == colour.blue
        }
    }

    @Test func linesDotsAndLettersAppear() {
        let (blue, red) = (Colour(0, 0, 255), Colour(255, 0, 0))
        let image = Plot(
            title: "title", xLabel: "x", yLabel: "y",
            series: [
                Plot.Series("line", [(0, 0), (1, 1), (2, 0)], colour: blue),
                Plot.Series("", [(0.5, 0.5)], style: .dots, colour: red),
            ]
        ).image(width: 400, height: 300)
        #expect(image.width == 400 && image.height == 300 && image.channels == 3)
        #expect(Self.inked(image, blue) > 300)
        #expect(Self.inked(image, red) == 9)
        #expect(Self.inked(image, .black) > 100)
    }

    /// Nothing, one point, the same point twice, infinities: a plot of them is dull but no error.
    @Test func anythingCanBePlotted() {
        for points in [[], [(1.0, 1.0)], [(0, 0), (0, 0)], [(.nan, 0), (0, .infinity), (1e300, -1e300), (3, 1e-300)]] {
            let series = Plot.Series("s", points.map { (x: $0.0, y: $0.1) }, style: .dashed, colour: .black)
            let image = Plot(title: "ü", xLabel: "", yLabel: "", series: [series]).image(width: 10, height: 10)
            #expect(image.width == 200)
        }
    }
}
