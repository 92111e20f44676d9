import CKernels

/// Images in channels-last order, `[images, height, width, stride]`, in a block of a workspace.
///
/// A value is valid until its block is given back; there is no reference counting behind it.
struct Images {
    let block: Workspace.Block
    let count: Int
    let height: Int
    let width: Int
    let channels: Int

    init(_ pass: Pass, channels: Int, height: Int, width: Int) {
        block = pass.take(perRow: height * width * paddedChannels(channels))
        count = pass.count
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// Floats from one pixel to the next.
    var stride: Int { paddedChannels(channels) }
    var pixels: Int { height * width }
    var pointer: UnsafeMutablePointer<Float> { block.pointer }
    func image(_ index: Int) -> UnsafeMutablePointer<Float> { block.pointer + index * pixels * stride }
}

extension Images {
    /// The pass's images of a caller, x · scale + shift.
    /// - Parameter sample: `[images, channels, height, width]`
    init(
        _ pass: Pass, channelsFirst sample: UnsafePointer<Float>, channels: Int, height: Int, width: Int,
        scale: Float = 1, shift: Float = 0
    ) {
        self.init(pass, channels: channels, height: height, width: width)
        let images = self
        pass.parallel(pass.count) { image, _ in
            ds_to_channels_last(
                sample + image * channels * images.pixels, channels, images.pixels, images.stride, scale, shift,
                images.image(image))
        }
    }

    /// Copies the images to a caller.
    /// - Parameter output: `[images, channels, height, width]`
    func write(channelsFirst output: UnsafeMutablePointer<Float>, _ pass: Pass) {
        pass.parallel(count) { image, _ in
            ds_from_channels_last(self.image(image), channels, pixels, stride, output + image * channels * pixels)
        }
    }

    /// The pass's rows of tokens, `[rows, tokens, channels]`, their padding zeros.
    /// - Parameter values: of all rows of the call.
    init(_ pass: Pass, tokens values: [Float], count: Int, channels: Int) {
        self.init(pass, channels: channels, height: 1, width: count)
        let size = count * channels
        for (row, index) in pass.rows.enumerated() {
            values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                for token in 0..<count {
                    let place = image(row) + token * stride
                    place.update(from: base + index * size + token * channels, count: channels)
                    (place + channels).update(repeating: 0, count: stride - channels)
                }
            }
        }
    }
}
