import Foundation
import Imaging
import Models
import Platform

extension SamplingRecipe {
    /// The model, whose samples start from the recipe's picture, if it has one; says what of its files is not followed.
    /// - Throws: `ImagingError` or `InputError` for a picture that cannot be read or has another size; else as loading does.
    func load(telling monitor: any RunMonitor, threads: Int) throws -> ImageModel {
        let model = try self.model.load(telling: monitor)
        guard let start else { return model }
        let (shape, range) = (model.shown, model.process.range)
        let bytes = try Self.bytes(start.picture, shape, channels: shape.channels)
        let pixels = shape.height * shape.width
        let picture = (0..<shape.size).map { index in
            let level = Double(bytes[index % pixels * shape.channels + index / pixels]) / 255
            return range.lowerBound + level * (range.upperBound - range.lowerBound)
        }
        let isKept = try start.mask.map { try Self.bytes($0, shape, channels: 1).map { $0 < 128 } }
        return try model.starting(from: picture, strength: start.strength, keeping: isKept, threads: threads)
    }

    /// No picture file is larger.
    private static let largestFile = 256 << 20

    private static func bytes(_ path: String, _ shape: PictureShape, channels: Int) throws -> [UInt8] {
        guard channels == 1 || channels == 3 else {
            throw RecipeError(
                "init", "needs a model of grey or coloured pictures; this one's have \(channels) channels.")
        }
        guard case .file(let size) = FileKind(path: path) else {
            throw InputError(path: path, reason: "it is not a file")
        }
        guard size <= largestFile else {
            throw InputError(path: path, reason: "\(size) bytes are more than a picture has")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw InputError(path: path, reason: "the system does not allow it")
        }
        return try Image(
            picture: data, width: shape.width, height: shape.height, channels: channels, path: path
        ).bytes
    }
}
