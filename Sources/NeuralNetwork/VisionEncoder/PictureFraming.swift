/// What is done to a picture before a network sees it: it is resized, and its centre is cut out, as torchvision's `Resize`
/// (bilinear, with antialiasing) and `CenterCrop` do it.
struct PictureFraming: Sendable {
    typealias Size = VisionEncoderConfiguration.Size

    let image: Size
    let crop: Size
    /// First row and column of the centre.
    let top: Int
    let left: Int
    /// How rows and columns are made of the picture's; nil where it is not resized.
    private let rows: [Weights]?
    private let columns: [Weights]?

    init(_ configuration: VisionEncoderConfiguration) {
        image = configuration.image
        crop = configuration.seen
        let whole = configuration.resized ?? image
        // torchvision rounds halves to even.
        top = Int((Double(whole.height - crop.height) / 2).rounded(.toNearestOrEven))
        left = Int((Double(whole.width - crop.width) / 2).rounded(.toNearestOrEven))
        let isResized = whole != image
        rows = isResized ? Self.weights(from: image.height, to: whole.height) : nil
        columns = isResized ? Self.weights(from: image.width, to: whole.width) : nil
    }

    /// One number of the result: `Σ values[j] · source[first + j]`.
    private struct Weights: Sendable {
        let first: Int
        let values: [Float]
    }

    /// A triangle as wide as two pixels of the coarser grid, around each pixel of the result.
    private static func weights(from count: Int, to resized: Int) -> [Weights] {
        let scale = Double(count) / Double(resized)
        let support = max(1, scale)
        return (0..<resized).map { index in
            let centre = scale * (Double(index) + 0.5)
            let first = max(0, Int(centre - support + 0.5))
            let end = min(count, Int(centre + support + 0.5))
            let values = (first..<max(end, first + 1)).map {
                max(0, 1 - abs((Double($0) - centre + 0.5) / support))
            }
            let sum = values.reduce(0, +)
            return Weights(first: first, values: values.map { Float(sum > 0 ? $0 / sum : 1 / Double(values.count)) })
        }
    }

    /// Writes the framed picture with its channels interleaved, `[rows][columns][channels]`, into a place with room for
    /// `stride` floats a row.
    /// - Parameter picture: `[channels][image.height][image.width]`
    func callAsFunction(
        _ picture: UnsafePointer<Float>, channels: Int, into place: UnsafeMutablePointer<Float>, stride: Int
    ) {
        for channel in 0..<channels {
            let source = picture + channel * image.height * image.width
            guard let rows, let columns else {
                for row in 0..<crop.height {
                    let from = source + (top + row) * image.width + left
                    for column in 0..<crop.width { place[row * stride + column * channels + channel] = from[column] }
                }
                continue
            }
            // Columns first, as torch does.
            let (first, last) = (rows[top], rows[top + crop.height - 1])
            let needed = first.first..<last.first + last.values.count
            var narrowed = [Float](repeating: 0, count: needed.count * crop.width)
            for row in needed {
                for column in 0..<crop.width {
                    let weights = columns[left + column]
                    var sum: Float = 0
                    for (index, weight) in weights.values.enumerated() {
                        sum += weight * source[row * image.width + weights.first + index]
                    }
                    narrowed[(row - needed.lowerBound) * crop.width + column] = sum
                }
            }
            for row in 0..<crop.height {
                let weights = rows[top + row]
                for column in 0..<crop.width {
                    var sum: Float = 0
                    for (index, weight) in weights.values.enumerated() {
                        sum += weight * narrowed[(weights.first + index - needed.lowerBound) * crop.width + column]
                    }
                    place[row * stride + column * channels + channel] = sum
                }
            }
        }
    }
}
