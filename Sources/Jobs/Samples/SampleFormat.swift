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

    init(_ model: ImageModel) {
        (channels, height, width) = (model.picture.channels, model.picture.height, model.picture.width)
        (black, white) = (model.process.range.lowerBound, model.process.range.upperBound)
    }

    /// Values of a sample.
    var size: Int { channels * height * width }

    func picture(of state: [Double]) -> Image {
        Image(planes: state, channels: channels, height: height, width: width, range: black...white)
    }

    /// Reads a picture that `picture(of:)` made.
    func picture(png: Data, path: String) throws -> Image {
        // As `Image(planes:)` lays them out.
        let isColour = channels == 3
        return try Image(
            png: png, width: isColour ? width : width * channels, height: height, channels: isColour ? 3 : 1, path: path
        )
    }
}
