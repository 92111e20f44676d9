extension ConditionalUnet1D {
    public func floatingPointOperations(_ shape: Shape) -> Double {
        var positions = shape.positions
        var total = featureOperations
        for level in downLevels {
            total += level.first.operations(positions) + level.second.operations(positions)
            guard let halving = level.halving else { continue }
            total += halving.operations(positions)
            positions /= 2
        }
        for block in middle { total += block.operations(positions) }
        for level in upLevels {
            total += level.first.operations(positions) + level.second.operations(positions)
            total += level.doubling.operations(positions)
            positions *= 2
        }
        return total + finalBlock.convolution.operations(positions) + finalConvolution.operations(positions)
    }

    /// Of the embedding of the step, and of its projection with the condition.
    var featureOperations: Double { stepEncoder.operations + featureProjection.operations }
}
