/// What a row costs, counted as the textbook formulas do: two operations for every multiplication of a convolution, a linear
/// layer or an attention product. The network itself needs fewer (see ``Convolution/Algorithm``).
extension UNet2D {
    /// Floating-point operations a row of `height` × `width` pixels; a `Double`, for a configuration may name any size.
    public func floatingPointOperations(height: Int, width: Int) -> Double {
        var (height, width) = (height, width)
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
            switch downsampler {
            case .convolution(let convolution): total += convolution.operations(height, width)
            case .residual(let residualBlock): total += residualBlock.operations(height, width)
            }
        }
        if let midBlock { add([midBlock.first, midBlock.second], midBlock.attention.map { [$0] } ?? []) }
        for block in upBlocks {
            add(block.residualBlocks, block.attentions)
            guard let upsampler = block.upsampler else { continue }
            (height, width) = (2 * height, 2 * width)
            switch upsampler {
            case .convolution(let convolution): total += convolution.operations(height, width)
            case .residual(let residualBlock): total += residualBlock.operations(height, width)
            }
        }
        return total + convOut.operations(height, width)
    }
}

extension Linear {
    /// For one row.
    var operations: Double { 2 * Double(inChannels) * Double(outChannels) }
}

extension TimestepEmbedding {
    var operations: Double { first.operations + second.operations }
}

extension TimeProjection {
    var operations: Double { 2 * Double(matrix.depth) * Double(matrix.columns) }
}

extension Convolution {
    /// For one image of this output size.
    func operations(_ height: Int, _ width: Int) -> Double {
        2 * 9 * Double(layout.channels) * Double(outChannels) * Double(height) * Double(width)
    }
}

extension ResidualBlock {
    func operations(_ height: Int, _ width: Int) -> Double {
        let channels = Double(conv1.outChannels)
        return conv1.operations(height, width) + conv2.operations(height, width)
            + (shortcut == nil ? 0 : 2 * Double(conv1.layout.channels) * channels * Double(height) * Double(width))
    }
}

extension Attention {
    func operations(_ pixels: Int) -> Double {
        let (pixels, inner) = (Double(pixels), Double(heads * headChannels))
        return 2 * pixels * Double(channels) * inner * 4 + 2 * 2 * pixels * pixels * inner
    }
}
