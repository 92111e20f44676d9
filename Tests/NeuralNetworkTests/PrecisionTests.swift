import CKernels
import NeuralNetwork
import Testing

/// Networks whose large products multiply numbers of sixteen bits.
@Suite struct PrecisionTests {
    /// Of the largest error in deviations of the output: twice that of a large network (see Benchmarks/results/half-precision.md), for these are
    /// narrow, so that fewer errors cancel out.
    static let bound = 0.12

    private static func rounded(_ x: Float) -> Float {
        Float(bitPattern: (x.bitPattern + (x.bitPattern >> 16 & 1) + 0x7FFF) & 0xFFFF_0000)
    }

    /// Numbers whose exponents go up to `range` either way, so that sums lose digits.
    private static func numbers(_ count: Int, _ random: inout SplitMix, range: Int) -> [Float] {
        (0..<count).map { _ in
            Float.random(in: -2..<2, using: &random)
                * Float(sign: .plus, exponent: Int.random(in: -range...range, using: &random), significand: 1)
        }
    }

    /// A sum as it is defined, one number after the other in single precision.
    /// - Parameters:
    ///   - products: exact ones, of as many numbers as `depth`.
    ///   - start: what they are added to.
    ///   - words: how many pairs are summed by themselves first, see `ds_product`.
    ///   - swapped: the other order of a pair.
    private static func sum(
        _ products: [Float], from start: Float = 0, words: Int, swapped: Bool = false
    ) -> Float {
        let pairs = stride(from: 0, to: products.count, by: 2).map { k in
            let upper = k + 1 < products.count ? products[k + 1] : 0
            return swapped ? (upper: products[k], lower: upper) : (upper: upper, lower: products[k])
        }
        if words == 1 { return pairs.reduce(start) { ($0 + $1.upper) + $1.lower } }
        return stride(from: 0, to: pairs.count, by: words).reduce(start) { sum, first in
            let part = pairs[first..<min(first + words, pairs.count)]
            return sum + (part.reduce(0) { $0 + $1.lower } + part.reduce(Float(0)) { $0 + $1.upper })
        }
    }

    /// The products' bits are those of the sums as they are defined, whether the processor has an instruction for them or
    /// not: of every pair the product of the upper halves first, or in tiles sixteen pairs by themselves. The other order,
    /// or one rounding for both, would change most of the outputs.
    @Test(arguments: [1, 2, 7, 16, 32, 33, 64, 75], [DS_BF16, DS_BF16_TILED])
    func productsAreTheDefinedSums(depth: Int, precision: Int) {
        var random = SplitMix(state: UInt64(depth))
        let (rows, outputs, columns) = (37, 37, 48)
        let (words, width) = ((depth + 1) / 2, Int(ds_panel_width()))
        let panels = (columns + width - 1) / width
        let weights = Self.numbers(outputs * depth, &random, range: 6)
        let x = Self.numbers(rows * depth, &random, range: 6)
        var packed = [Float](repeating: 0, count: panels * width * words)
        ds_pack(Int32(precision), weights, outputs, depth, 1, Array(0..<depth), 0, words, &packed)
        var factors = [Float](repeating: 0, count: rows * words)
        ds_round_rows(x, rows, depth, depth, &factors, words)
        let bias = Self.numbers(columns, &random, range: 1)
        let residual = Self.numbers(rows * columns, &random, range: 1)
        var found = [Float](repeating: 0, count: rows * columns)
        var alone = [Float](repeating: 0, count: columns)
        packed.withUnsafeBufferPointer { packed in
            bias.withUnsafeBufferPointer { bias in
                var product = ds_product(
                    precision: Int32(precision), taps: nil, tapCount: 1, depth: words, weights: packed.baseAddress,
                    columns: columns, bias: bias.baseAddress, scale: 0.5, next: nil)
                ds_multiply_strided(&product, factors, words, rows, 0, panels, &found, columns, residual, columns)
                product.bias = nil
                ds_multiply_strided(&product, factors, words, 1, 0, panels, &alone, columns, nil, 0)
            }
        }
        let together = precision == DS_BF16_TILED ? 16 : Int(ds_bf16_words())
        var otherOrder = 0
        for row in 0..<rows {
            for output in 0..<outputs {
                let products = (0..<depth).map {
                    Self.rounded(x[row * depth + $0]) * Self.rounded(weights[output * depth + $0])
                }
                let sum = Self.sum(products, words: together)
                if row == 0 { #expect(alone[output].bitPattern == (0.5 * sum).bitPattern) }
                let place = row * columns + output
                let all = Self.sum(products, from: bias[output], words: together) + residual[place]
                #expect(found[place].bitPattern == (0.5 * all).bitPattern)
                if Self.sum(products, words: 1, swapped: together == 1) != sum { otherOrder += 1 }
            }
        }
        #expect(depth < 7 || otherOrder > rows * outputs / 10, "the test tells the orders apart")
    }

    /// Rounding is to nearest even, and infinities and NaN stay what they are.
    @Test func roundsToNearestEven() {
        let cases: [(UInt32, UInt32)] = [
            (0x3F80_0000, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81), (0x3F81_8000, 0x3F82),
            (0xBF81_8000, 0xBF82), (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x7FC0_0000, 0x7FC0),
            (0x7F7F_FFFF, 0x7F80), (0, 0), (0x8000_0000, 0x8000),
        ]
        // An odd number of them, and more than the longest vector.
        let values = (0..<33).map { Float(bitPattern: cases[$0 % cases.count].0) }
        var words = [Float](repeating: 1, count: 17)
        ds_round_rows(values, 1, 33, 33, &words, 17)
        for index in 0..<33 {
            let half = words[index / 2].bitPattern >> (index % 2 == 0 ? 0 : 16) & 0xFFFF
            #expect(half == cases[index % cases.count].1)
        }
        #expect(words[16].bitPattern >> 16 == 0)
    }

    /// The feedback of Winograd's rounding makes the error smaller than that of numbers rounded one by one, which is, for
    /// independent inputs and in deviations of the output, 1.1e-2 for F(4×4) and 3.8e-3 for F(2×2) (root mean square).
    @Test(arguments: [(2, 3e-3...3.6e-3), (4, 6.5e-3...8.8e-3)])
    func winogradRoundsWithFeedback(_ m: Int, _ bounds: ClosedRange<Double>) {
        var random = SplitMix(state: 5)
        let (channels, outputs, tiles, side) = (64, 32, 24, m + 2)
        let (words, width, positions) = (channels / 2, Int(ds_panel_width()), side * side)
        let panels = (outputs + width - 1) / width
        let stride = panels * width * words
        let weights = (0..<outputs * channels * 9).map { _ in Float.random(in: -1..<1, using: &random) }
        var packed = [Float](repeating: 0, count: positions * stride)
        ds_pack_winograd(
            Int32(DS_BF16), Int32(m), weights, outputs, channels, Array(0..<channels), words, 0, panels, &packed, stride
        )
        var feedback = [Float](repeating: 0, count: positions)
        ds_winograd_feedback(Int32(m), &feedback)

        var (power, error) = (0.0, 0.0)
        for _ in 0..<tiles {
            let x = (0..<positions * channels).map { _ in Float.random(in: -1..<1, using: &random) }
            var values = [Float](repeating: 0, count: positions * words)
            ds_winograd_input(Int32(m), feedback, x, side * channels, channels, &values, words)
            var products = [Float](repeating: 0, count: positions * outputs)
            for position in 0..<positions {
                values.withUnsafeBufferPointer { values in
                    packed.withUnsafeBufferPointer { packed in
                        products.withUnsafeMutableBufferPointer { products in
                            guard let from = values.baseAddress, let by = packed.baseAddress,
                                let to = products.baseAddress
                            else { return }
                            var product = ds_product(
                                precision: Int32(DS_BF16), taps: nil, tapCount: 1, depth: words,
                                weights: by + position * stride, columns: outputs, bias: nil, scale: 1, next: nil)
                            ds_multiply_strided(
                                &product, from + position * words, words, 1, 0, panels, to + position * outputs,
                                outputs, nil, 0)
                        }
                    }
                }
            }
            var found = [Float](repeating: 0, count: m * m * outputs)
            ds_winograd_output(
                Int32(m), products, outputs, outputs, nil, 1, m, m, &found, m * outputs, outputs, nil, 0, 0)
            for pixel in 0..<m * m {
                for output in 0..<outputs {
                    var exact = 0.0
                    for tap in 0..<9 {
                        let place = ((pixel / m + tap / 3) * side + pixel % m + tap % 3) * channels
                        for channel in 0..<channels {
                            exact +=
                                Double(x[place + channel]) * Double(weights[(output * channels + channel) * 9 + tap])
                        }
                    }
                    let difference = Double(found[pixel * outputs + output]) - exact
                    (power, error) = (power + exact * exact, error + difference * difference)
                }
            }
        }
        #expect(bounds.contains((error / power).squareRoot()), "\((error / power).squareRoot())")
    }

    /// A row's bits depend neither on the batch, nor on its place in it, nor on the threads; and they are near those of f32, but
    /// others.
    @Test(arguments: Fixture.all) func isBatchInvariantAndNear(_ fixture: Fixture) throws {
        let golden = try fixture.goldenCase()
        let network = try UNet2D(folder: fixture.folder, precision: .bf16)
        try expectBatchInvariance(golden.batch, calls: [(33, 1), (33, 2), (2, 2), (7, 2), (1, 2), (5, 3), (40, 2)]) {
            try network.run(golden, rows: $0, threads: $1)
        }
        let error = relativeError(try network.run(golden, rows: Array(0..<golden.batch), threads: 2), golden.output)
        #expect(error > 1e-4 && error < Self.bound, "\(error)")
    }

    @Test(arguments: PolicyFixture.all) func policiesAreBatchInvariantAndNear(_ fixture: PolicyFixture) throws {
        let golden = try fixture.goldenCase()
        let network = try ConditionalUnet1D(folder: fixture.folder, precision: .bf16)
        let calls = [(130, 1), (130, 2), (2, 2), (7, 2), (1, 2), (5, 3), (40, 2)]
        try expectBatchInvariance(golden.batch, calls: calls) { try network.run(golden, rows: $0, threads: $1) }
        let error = relativeError(try network.run(golden, rows: Array(0..<golden.batch), threads: 2), golden.output)
        // Some have few channels everywhere, which stay in single precision.
        #expect((fixture.description != "pusht-narrow" || error > 1e-4) && error < Self.bound, "\(error)")
    }
}
