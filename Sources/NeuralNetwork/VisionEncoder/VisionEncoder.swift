import CKernels

/// The network by which LeRobot's diffusion policies see, for inference on the CPU in single precision: a picture becomes
/// the places of its keypoints, and these some features. Immutable, to be shared freely.
///
/// Rows of a batch do not touch each other: a row's output is the same, bit for bit, whatever stands beside it.
public struct VisionEncoder: Network {
    public let configuration: VisionEncoderConfiguration
    public let resources: NetworkResources

    private let framing: PictureFraming
    private let backbone: ResidualNetwork  // backbone
    private let keypoints: Linear  // pool.nets
    /// Where each pixel of the feature map lies, `[pixels][x, y]`, both from -1 to 1.
    private let grid: [Float]  // pool.pos_grid
    private let out: Linear  // out

    public init(_ configuration: VisionEncoderConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        framing = PictureFraming(configuration)
        backbone = try ResidualNetwork(configuration, reader)
        let size = ResidualNetwork.outputSize(configuration)
        grid = try reader.read("pool.pos_grid", [size.height * size.width, 2])
        keypoints = try Linear(
            reader, "pool.nets", from: backbone.outChannels, to: configuration.keypoints, isConvolution: true)
        out = try Linear(reader, "out", from: configuration.features, to: configuration.features)
        resources = reader.resources
    }

    /// - Parameter pictures: `[count][3][height][width]`, as the policy normalises them.
    /// - Returns: `[count][features]`
    /// - Throws: ``NetworkInputError`` if there is another number of pixels.
    public func callAsFunction(
        pictures: [Float], count: Int, threads: Int
    ) throws(NetworkInputError) -> [Float] {
        try self(Input(pictures, rows: count, shape: (), conditioning: ()), threads: threads)
    }

    public func inputDimensions(_ shape: Void) -> [Int] {
        [VisionEncoderConfiguration.imageChannels, configuration.image.height, configuration.image.width]
    }
    public func outputDimensions(_ shape: Void) -> [Int] { [configuration.features] }
    /// As many as keep the largest feature map within a few dozen megabytes.
    public func rowsPerPass(_ shape: Void) -> Int {
        max(1, 500_000 / (configuration.seen.height * configuration.seen.width))
    }

    public func floatingPointOperations(_ shape: Void) -> Double {
        let size = ResidualNetwork.outputSize(configuration)
        return backbone.operations(configuration.seen)
            + keypoints.operations * Double(size.height * size.width) + out.operations
    }

    public func forward(
        _ sample: UnsafePointer<Float>, _ shape: Void, _ conditioning: Void, into output: UnsafeMutablePointer<Float>,
        _ pass: Pass
    ) {
        var x = backbone.stem(sample, framing, pass)
        for block in backbone.blocks {
            let next = block(x, pass)
            pass.giveBack(x)
            x = next
        }
        let maps = Images(pass, channels: configuration.keypoints, height: x.height, width: x.width)
        keypoints(x.pointer, stride: x.stride, count: x.count * x.pixels, into: maps.pointer, pass)
        pass.giveBack(x)

        let features = configuration.features
        let stride = paddedChannels(features)
        let places = pass.take(perRow: stride)
        pass.parallel(pass.count) { image, _ in
            let place = places.pointer + image * stride
            place.update(repeating: 0, count: stride)
            spatialSoftmax(maps.image(image), pixels: maps.pixels, stride: maps.stride, into: place)
        }
        pass.giveBack(maps)
        let rows = pass.take(perRow: stride)
        out(places.pointer, stride: stride, count: pass.count, into: rows.pointer, pass)
        Activation.relu(rows.pointer, count: pass.count * stride)
        for row in 0..<pass.count {
            (output + row * features).update(from: rows.pointer + row * stride, count: features)
        }
        pass.giveBack(rows)
        pass.giveBack(places)
    }

    /// The mean place of every keypoint under the softmax of its map.
    private func spatialSoftmax(
        _ maps: UnsafePointer<Float>, pixels: Int, stride: Int, into places: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: pixels) { weights in
            guard let base = weights.baseAddress else { return }
            for keypoint in 0..<configuration.keypoints {
                for pixel in 0..<pixels { base[pixel] = maps[pixel * stride + keypoint] }
                ds_softmax(base, 1, pixels, pixels, 1)
                var (x, y): (Float, Float) = (0, 0)
                for pixel in 0..<pixels {
                    x += base[pixel] * grid[2 * pixel]
                    y += base[pixel] * grid[2 * pixel + 1]
                }
                places[2 * keypoint] = x
                places[2 * keypoint + 1] = y
            }
        }
    }
}
