/// What a row costs, counted as the textbook formulas do: two operations for every multiplication of a convolution or a linear
/// layer, those with the padding among them. The network itself leaves these out.
extension ConditionalUnet1D {
    /// Floating-point operations a row of `positions` positions.
    public func floatingPointOperations(positions: Int) -> Double {
        var positions = positions
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

extension SequenceConvolution {
    /// For one sequence of `positions` positions at the input.
    func operations(_ positions: Int) -> Double {
        // A transposed convolution multiplies every input with every tap, the others every output.
        let places = kind == .doubling ? positions : kind.outputPositions(positions)
        return 2 * Double(kind.taps) * Double(inputs.channels) * Double(outChannels) * Double(places)
    }
}

extension ConditionalResidualBlock1D {
    func operations(_ positions: Int) -> Double {
        first.convolution.operations(positions) + second.convolution.operations(positions)
            + (shortcut?.operations(positions) ?? 0)
    }
}
