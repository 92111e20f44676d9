import CKernels

extension Images {
    /// act(x · scale + shift), written out.
    func affine(_ coefficients: GroupNorm.Coefficients, _ activation: Activation?, _ pass: Pass) -> Images {
        let result = Images(pass, channels: channels, height: height, width: width)
        let slab = 128
        let slabs = (pixels + slab - 1) / slab
        pass.parallel(count * slabs) { unit, _ in
            let (image, first) = (unit / slabs, unit % slabs * slab)
            ds_affine(
                self.image(image) + first * stride, min(slab, pixels - first), stride, coefficients.scale(image),
                coefficients.shift(image), activation?.code ?? Int32(DS_ACTIVATION_NONE),
                result.image(image) + first * stride)
        }
        return result
    }

    /// Means over 2×2 pixels (PyTorch's `AvgPool2d(2, 2)`; an odd last row or column is dropped).
    func pooled(_ pass: Pass) -> Images {
        let result = Images(pass, channels: channels, height: height / 2, width: width / 2)
        pass.parallel(count) { image, _ in
            ds_average_pool(self.image(image), height, width, stride, result.image(image))
        }
        return result
    }

    /// Every pixel twice in each direction (nearest neighbour).
    func upsampled(_ pass: Pass) -> Images {
        let result = Images(pass, channels: channels, height: 2 * height, width: 2 * width)
        pass.parallel(count) { image, _ in
            ds_upsample(self.image(image), height, width, stride, result.image(image))
        }
        return result
    }
}

extension FeatureMap {
    /// Copies both parts into one set of images of as many channels.
    func join(into out: Images, _ pass: Pass) {
        guard let second else { return }
        pass.parallel(count) { image, _ in
            let (a, b, to) = (first.image(image), second.image(image), out.image(image))
            for pixel in 0..<first.pixels {
                let place = to + pixel * out.stride
                place.update(from: a + pixel * first.stride, count: first.channels)
                (place + first.channels).update(from: b + pixel * second.stride, count: second.channels)
                for channel in out.channels..<out.stride { place[channel] = 0 }
            }
        }
    }
}
