import CKernels

/// Group normalisation, y = (x - mean) / √(variance + ε) · weight + bias with the moments of one image's group of channels.
///
/// The layer only computes the coefficients of y = x · scale + shift for every image and channel; whoever reads the input
/// applies them on the way, together with the activation function.
struct GroupNorm: Sendable {
    let layout: ChannelLayout
    let groups: Int
    let epsilon: Double
    let weight: [Float]
    let bias: [Float]

    /// Reads `key.weight` and `key.bias`, both `[channels]`.
    init(_ reader: ParameterReader, _ key: String, _ layout: ChannelLayout, groups: Int, epsilon: Double)
        throws(CheckpointError)
    {
        self.layout = layout
        self.groups = groups
        self.epsilon = epsilon
        weight = try reader.read("\(key).weight", [layout.channels])
        bias = try reader.read("\(key).bias", [layout.channels])
    }

    /// Scale and shift for every image: `[images][scale, shift][channels as in memory]`.
    struct Coefficients {
        let block: Workspace.Block
        let stride: Int
        func scale(_ image: Int) -> UnsafeMutablePointer<Float> { block.pointer + 2 * image * stride }
        func shift(_ image: Int) -> UnsafeMutablePointer<Float> { block.pointer + (2 * image + 1) * stride }
    }

    /// A scale and a shift on top, y = norm(x) · (1 + scale) + shift, for every image.
    struct Modulation {
        let scale: UnsafePointer<Float>
        let shift: UnsafePointer<Float>
        let imageStride: Int
    }

    /// Pixels summed at once. Sums of such slabs are added in their order, whatever the threads.
    private static let slab = 128

    func coefficients(
        of map: FeatureMap, modulation: Modulation? = nil, _ pass: Pass
    ) -> Coefficients {
        let stride = layout.stride
        let pixels = map.first.pixels
        let slabs = (pixels + Self.slab - 1) / Self.slab
        let partials = pass.take(perRow: slabs * 2 * stride * 2)
        let result = Coefficients(block: pass.take(perRow: 2 * stride), stride: stride)
        let sums = UnsafeMutableRawPointer(partials.pointer).assumingMemoryBound(to: Double.self)

        pass.timed("moments of \(layout.channels), \(map.height)×\(map.width)") {
            sum(map, slabs: slabs, into: sums, pass)
            pass.parallel(map.count) { image, _ in
                finish(image, sums + image * slabs * 2 * stride, slabs: slabs, pixels: pixels, modulation, into: result)
            }
        }
        pass.giveBack(partials)
        return result
    }

    /// Sums of every slab of every image: `[images][slabs][sums, squares][channels as in memory]`.
    private func sum(_ map: FeatureMap, slabs: Int, into sums: UnsafeMutablePointer<Double>, _ pass: Pass) {
        let stride = layout.stride
        let pixels = map.first.pixels
        pass.parallel(map.count * slabs) { unit, _ in
            let (image, slab) = (unit / slabs, unit % slabs)
            let first = slab * Self.slab
            let count = min(Self.slab, pixels - first)
            let place = sums + unit * 2 * stride
            let part = map.first
            ds_channel_sums(
                part.image(image) + first * part.stride, count, part.stride, part.stride, place, place + stride)
            if let second = map.second {
                ds_channel_sums(
                    second.image(image) + first * second.stride, count, second.stride, second.stride,
                    place + part.stride, place + stride + part.stride)
            }
        }
    }

    private func finish(
        _ image: Int, _ sums: UnsafeMutablePointer<Double>, slabs: Int, pixels: Int, _ modulation: Modulation?,
        into result: Coefficients
    ) {
        combine(sums, slabs: slabs, pixels: pixels, scale: result.scale(image), shift: result.shift(image))
        guard let modulation else { return }
        let scale = modulation.scale + image * modulation.imageStride
        let shift = modulation.shift + image * modulation.imageStride
        for channel in 0..<layout.channels {
            let factor = 1 + scale[channel]
            result.scale(image)[channel] *= factor
            result.shift(image)[channel] = result.shift(image)[channel] * factor + shift[channel]
        }
    }

    private func combine(
        _ sums: UnsafeMutablePointer<Double>, slabs: Int, pixels: Int,
        scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>
    ) {
        let stride = layout.stride
        for slab in 1..<max(1, slabs) {
            let place = sums + slab * 2 * stride
            for index in 0..<2 * stride { sums[index] += place[index] }
        }
        for index in 0..<stride {
            scale[index] = 0
            shift[index] = 0
        }
        coefficients(
            ofGroups: 0..<groups, sums: sums, squares: sums + stride, pixels: pixels, scale: scale, shift: shift)
    }

    /// Scale and shift of the channels of some groups, from their sums and sums of squares over `pixels` pixels. All pointers
    /// are to channels as they lie in memory.
    func coefficients(
        ofGroups groups: Range<Int>, sums: UnsafePointer<Double>, squares: UnsafePointer<Double>, pixels: Int,
        scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>
    ) {
        let width = layout.channels / self.groups
        let count = Double(width * pixels)
        for group in groups {
            var sum = 0.0
            var squareSum = 0.0
            for channel in group * width..<(group + 1) * width {
                let position = layout.position(channel)
                sum += sums[position]
                squareSum += squares[position]
            }
            let mean = sum / count
            let variance = squareSum / count - mean * mean
            let inverse = 1 / ((variance > 0 ? variance : variance * 0) + epsilon).squareRoot()
            for channel in group * width..<(group + 1) * width {
                let position = layout.position(channel)
                let factor = Double(weight[channel]) * inverse
                scale[position] = Float(factor)
                shift[position] = Float(Double(bias[channel]) - mean * factor)
            }
        }
    }
}
