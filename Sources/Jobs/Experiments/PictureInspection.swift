import Foundation
import Imaging
import Models
import NeuralNetwork

/// What a picture says about how it was made.
struct PictureInspection: Inspection {
    let kind = "picture"
    let file: String
    let width: Int
    let height: Int
    /// By keyword; the last one where a keyword comes twice.
    let texts: [String: String]
    private let ordered: [PNGText]

    private enum CodingKeys: String, CodingKey { case kind, file, width, height, texts }

    /// More than any picture of samples has.
    private static let largestFile = 1 << 28

    init(of path: String) throws {
        let data = try MappedFile.contents(of: path, atMost: Self.largestFile)
        let found = try PNGText.read(png: Data(data), path: path)
        (file, width, height, ordered) = (path, found.width, found.height, found.texts)
        texts = Dictionary(found.texts.map { ($0.keyword, $0.text) }) { $1 }
    }

    /// Without the characters that a terminal would obey: the file may be anybody's.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    var text: String {
        let width = ordered.map(\.keyword.count).max() ?? 0
        let lines = ordered.map {
            "  " + Self.shown($0.keyword).padding(toLength: width + 2, withPad: " ", startingAt: 0)
                + Self.shown($0.text)
        }
        let says = lines.isEmpty ? ["  says nothing of how it was made"] : lines
        return (["\(file): a picture of \(self.width)×\(self.height) pixels"] + says).joined(separator: "\n")
    }
}
