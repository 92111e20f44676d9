import CKernels

/// A convolution of sequences over their positions, as products of the rows of all sequences with the weights of one tap
/// after the other.
struct SequenceConvolution: Sendable {
    enum Kind: Sendable, Equatable {
        /// `Conv1d(kernel, padding=kernel // 2)`, an odd kernel: as many positions as before.
        case same(kernel: Int)
        /// `Conv1d(3, stride=2, padding=1)`: half as many, of an even number.
        case halving
        /// `ConvTranspose1d(4, stride=2, padding=1)`: twice as many.
        case doubling

        var taps: Int {
            switch self {
            case .same(let kernel): kernel
            case .halving: 3
            case .doubling: 4
            }
        }
        /// Positions from one output of a tap to the next, and from one input of it to the next.
        var outStep: Int { self == .doubling ? 2 : 1 }
        var inStep: Int { self == .halving ? 2 : 1 }

        func outputPositions(_ positions: Int) -> Int {
            switch self {
            case .same: positions
            case .halving: positions / 2
            case .doubling: 2 * positions
            }
        }

        /// The taps that meet the sequence at all, each with the positions between which it does.
        func taps(positions: Int) -> [ds_sequence_tap] {
            let outputs = outputPositions(positions)
            // Output position = outStep · i + first.out, input position = inStep · i + first.in, for the i where both exist.
            func tap(_ weight: Int, in firstIn: Int, out firstOut: Int) -> ds_sequence_tap? {
                let skipped = max(0, (-firstIn + inStep - 1) / inStep, (-firstOut + outStep - 1) / outStep)
                let (start, outStart) = (firstIn + skipped * inStep, firstOut + skipped * outStep)
                let count = min((positions - start + inStep - 1) / inStep, (outputs - outStart + outStep - 1) / outStep)
                guard start < positions, outStart < outputs, count > 0 else { return nil }
                return ds_sequence_tap(weight: weight, inPosition: start, outPosition: outStart, count: count)
            }
            return (0..<taps).compactMap { weight in
                switch self {
                case .same(let kernel): tap(weight, in: weight - kernel / 2, out: 0)
                case .halving: tap(weight, in: weight - 1, out: 0)
                case .doubling: tap(weight, in: 0, out: weight - 1)
                }
            }
        }
    }

    /// Fewer stand at the network's ends only.
    private static let fewChannels = 16

    let kind: Kind
    let inputs: ChannelLayout
    let outChannels: Int
    let matrix: PackedMatrix
    let bias: FloatStorage

    /// Reads `key.weight`, `[out, in, taps]` (`[in, out, taps]` where it is transposed), and `key.bias` `[out]`.
    init(
        _ reader: ParameterReader, _ key: String, from inputs: ChannelLayout, to outChannels: Int, _ kind: Kind
    ) throws(CheckpointError) {
        let (from, taps) = (inputs.channels, kind.taps)
        var weights: [Float]
        if kind == .doubling {
            let transposed = try reader.read("\(key).weight", [from, outChannels, taps])
            weights = [Float](repeating: 0, count: transposed.count)
            if !transposed.isEmpty {
                for input in 0..<from {
                    for output in 0..<outChannels {
                        for tap in 0..<taps {
                            weights[(output * from + input) * taps + tap] =
                                transposed[(input * outChannels + output) * taps + tap]
                        }
                    }
                }
            }
        } else {
            weights = try reader.read("\(key).weight", [outChannels, from, taps])
        }
        let columns = paddedChannels(outChannels)
        // The first layer and the last cost nothing, and their rounding would be seen best.
        let precision = min(from, outChannels) < Self.fewChannels ? .f32 : reader.precision
        matrix = PackedMatrix(
            [(weights, outChannels, 0)], inputs: inputs, taps: taps, columns: columns,
            precision: precision)
        bias = FloatStorage(try reader.read("\(key).bias", [outChannels]), count: columns)
        self.kind = kind
        self.inputs = inputs
        self.outChannels = outChannels
    }

    /// Operations for one sequence of `positions` positions at the input, those with the padding among them: the network
    /// leaves these out.
    func operations(_ positions: Int) -> Double {
        // A transposed convolution multiplies every input with every tap, the others every output.
        let places = kind == .doubling ? positions : kind.outputPositions(positions)
        return 2 * Double(kind.taps) * Double(inputs.channels) * Double(outChannels) * Double(places)
    }

    /// The input as the weights' precision needs it for ``run(panels:_:into:accumulates:)``, a copy that the caller gives back;
    /// nil if that is the input itself.
    func rounded(_ input: Sequences, _ pass: Pass) -> Sequences? {
        guard matrix.precision != .f32 else { return nil }
        let result = Sequences(pass, positions: input.positions, channels: input.channels, columns: matrix.words)
        let rowsAtOnce = 8
        pass.parallel((input.rows + rowsAtOnce - 1) / rowsAtOnce) { unit, _ in
            let first = unit * rowsAtOnce
            ds_round_rows(
                input.pointer + first * input.stride, min(rowsAtOnce, input.rows - first), input.stride, matrix.depth,
                result.pointer + first * result.stride, result.stride)
        }
        return result
    }

    /// Some panels of the output's columns; one thread.
    /// - Parameters:
    ///   - input: in the weights' precision.
    ///   - accumulates: whether the result is added to what `output` holds.
    func run(panels: Range<Int>, _ input: Sequences, into output: Sequences, accumulates: Bool = false) {
        kind.taps(positions: input.positions).withUnsafeBufferPointer { taps in
            var convolution = ds_sequence_convolution(
                precision: matrix.precision.code, taps: taps.baseAddress, tapCount: taps.count,
                weights: matrix.storage.pointer, weightTaps: matrix.taps, depth: matrix.words,
                columns: matrix.columns, bias: bias.pointer, accumulates: accumulates ? 1 : 0, batch: input.batch,
                inStep: kind.inStep, outStep: kind.outStep, in: input.pointer, inStride: input.stride,
                out: output.pointer, outStride: output.stride, outPositions: output.positions)
            ds_convolve_sequence(&convolution, panels.lowerBound, panels.upperBound)
        }
    }

    /// The whole output; all threads.
    func callAsFunction(
        _ input: Sequences, into output: Sequences, accumulates: Bool = false, _ pass: Pass
    ) {
        let units = min(matrix.panels, 8 * pass.threads)
        let rounded = rounded(input, pass)
        pass.parallel(units) { unit, _ in
            let panels = unit * matrix.panels / units..<(unit + 1) * matrix.panels / units
            run(panels: panels, rounded ?? input, into: output, accumulates: accumulates)
        }
        if let rounded { pass.giveBack(rounded) }
    }
}
