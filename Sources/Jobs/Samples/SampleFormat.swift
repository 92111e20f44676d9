import Foundation
import Imaging
import Models

/// How the samples of a model are laid out, and shown.
struct SampleFormat: Codable, Equatable, Sendable {
    let channels: Int
    let height: Int
    let width: Int
    /// What is shown as black and as white.
    let black: Double
    let white: Double
    /// What is shown of a sample, where that is not the sample itself.
    let decoded: PictureShape?

    init(_ model: ImageModel) {
        decoded = model.decoder?.picture
        (channels, height, width) = (model.picture.channels, model.picture.height, model.picture.width)
        (black, white) = (model.process.range.lowerBound, model.process.range.upperBound)
    }

    /// Values of a sample.
    var size: Int { channels * height * width }

    /// What is shown of a sample.
    var shown: PictureShape { decoded ?? PictureShape(channels: channels, height: height, width: width) }

    /// - Parameter values: of what is shown of a sample.
    func picture(of values: [Double]) -> Image {
        Image(
            planes: values, channels: shown.channels, height: shown.height, width: shown.width, range: black...white)
    }

    /// Reads a picture that `picture(of:)` made.
    func picture(png: Data, path: String) throws -> Image {
        // As `Image(planes:)` lays them out.
        let isColour = shown.channels == 3
        return try Image(
            png: png, width: isColour ? shown.width : shown.width * shown.channels, height: shown.height,
            channels: isColour ? 3 : 1, path: path)
    }
}
