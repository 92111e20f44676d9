import Foundation
import Imaging

/// The figure of results/fidelity, from the table there: distance to the test images against calls.
///
///     fidelity-figure FOLDER/fidelity.md FOLDER/fidelity.png

guard CommandLine.arguments.count == 3 else {
    FileHandle.standardError.write(Data("usage: fidelity-figure TABLE.md FIGURE.png\n".utf8))
    exit(64)
}

/// A line of the table: a way of sampling, its calls, and its distance in the classifier's features.
struct Row {
    let name: String
    /// nil for images that nobody sampled.
    let calls: Double?
    let distance, error: Double

    /// nil for any other line.
    init?(_ line: Substring) {
        let fields = line.split(separator: "|", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard fields.count == 6 else { return nil }
        let parts = fields[3].components(separatedBy: " ± ")
        guard parts.count == 2, let distance = Double(parts[0]), let error = Double(parts[1]) else { return nil }
        (name, calls, self.distance, self.error) = (fields[1], Double(fields[2]), distance, error)
    }

    /// A colour for each way, a marker for each number of steps; what differs in grid or noise alone is weaker.
    var series: Figure.Series? {
        guard let calls else { return nil }
        let paint: Paint =
            name.hasPrefix("speculative") ? .series(0) : name.hasPrefix("plain") ? .ink : .series(3)
        let marker: Figure.Marker = name.contains("13 steps") ? .square : name.contains("26 steps") ? .triangle : .disc
        let isVariant = name.hasSuffix("EDM grid") || name.hasSuffix("other noise")
        return .init(
            name, [.init(calls, distance, error: 2 * error)], mark: .line(.solid, marker),
            paint: paint.weakened(to: isVariant ? 0.5 : 1))
    }
}

do {
    let text = try String(contentsOfFile: CommandLine.arguments[1], encoding: .utf8)
    let rows = text.split(separator: "\n").compactMap(Row.init)
    guard let floor = rows.first(where: { $0.calls == nil })?.distance, rows.count > 1 else {
        throw CocoaError(.fileReadCorruptFile)
    }
    try Figure(
        "How far from the test images, and after how many calls", note: "bars: two standard errors",
        x: .init("NFE", unit: "network calls one after the other", isLogarithmic: true, range: 9...130),
        y: .init("Fréchet distance to the test images", isLogarithmic: true),
        series: rows.compactMap(\.series) + [
            .init("training images", points: [(9, floor), (130, floor)], mark: .line(.dashed, nil), paint: .muted)
        ]
    ).image().writePNG(to: CommandLine.arguments[2])
} catch {
    FileHandle.standardError.write(Data("error: \(CommandLine.arguments[1]): no table of distances: \(error)\n".utf8))
    exit(1)
}
