/// What a row costs. The network itself needs fewer operations (see ``Convolution/Algorithm``).
extension UNet2D {
    public func floatingPointOperations(_ size: UNet2DConfiguration.ImageSize) -> Double {
        var (height, width) = (size.height, size.width)
        var total = timeEmbedding.operations + timeProjection.operations
        if case .timestep(let layer) = classEmbedding { total += layer.operations }
        total += convIn.operations(height, width)
        func add(_ blocks: [ResidualBlock], _ attentions: [Attention]) {
            for block in blocks { total += block.operations(height, width) }
            for attention in attentions { total += attention.operations(height * width) }
        }
        for block in downBlocks {
            add(block.residualBlocks, block.attentions)
            guard let downsampler = block.downsampler else { continue }
            (height, width) = (height / 2, width / 2)
            total += downsampler.operations(height, width)
        }
        if let midBlock { add([midBlock.first, midBlock.second], midBlock.attention.map { [$0] } ?? []) }
        for block in upBlocks {
            add(block.residualBlocks, block.attentions)
            guard let upsampler = block.upsampler else { continue }
            (height, width) = (2 * height, 2 * width)
            total += upsampler.operations(height, width)
        }
        return total + convOut.operations(height, width)
    }
}
