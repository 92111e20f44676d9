import CKernels

/// Convolution, group normalisation, Mish (`Conv1dBlock`), with what follows them in a residual block.
struct SequenceBlock: Sendable {
    let convolution: SequenceConvolution  // block.0
    let norm: GroupNorm  // block.1

    /// PyTorch's default.
    private static let normEpsilon = 1e-5

    init(
        _ reader: ParameterReader, _ key: String, from inputs: ChannelLayout, to channels: Int, kernel: Int, groups: Int
    ) throws(CheckpointError) {
        convolution = try SequenceConvolution(
            reader, "\(key).block.0", from: inputs, to: channels, .same(kernel: kernel))
        norm = try GroupNorm(
            reader, "\(key).block.1", ChannelLayout(channels), groups: groups, epsilon: Self.normEpsilon)
    }

    /// Feature-wise linear modulation: features · gain + offset, for sequence b at `pointer + b · stride`.
    struct Film {
        /// nil for 1.
        let gain: UnsafePointer<Float>?
        let offset: UnsafePointer<Float>
        let stride: Int
    }

    /// What is added to the result.
    enum Shortcut {
        case none
        case identity(Sequences)
        case projected(SequenceConvolution, Sequences)
    }

    /// Columns that can be finished without the others: whole panels of weights and whole groups.
    private var unitColumns: Int {
        let panel = Int(ds_panel_width())
        var columns = panel
        while columns % (convolution.outChannels / norm.groups) != 0 { columns += panel }
        return min(columns, convolution.matrix.columns)
    }

    func callAsFunction(
        _ input: Sequences, into output: Sequences, film: Film? = nil, shortcut: Shortcut = .none,
        _ pass: Pass
    ) {
        pass.timed(
            "convolution \(convolution.inputs.channels)→\(convolution.outChannels), \(input.positions) positions",
            operations: Double(input.batch) * convolution.operations(input.positions)
        ) {
            run(input, into: output, film: film, shortcut: shortcut, pass)
        }
    }

    private func run(
        _ input: Sequences, into output: Sequences, film: Film?, shortcut: Shortcut, _ pass: Pass
    ) {
        let columns = convolution.matrix.columns
        let (width, panel) = (unitColumns, Int(ds_panel_width()))
        let units = (columns + width - 1) / width
        let scratch = pass.take(perThread: Normalisation.scratchSize(columns: width))
        let normalisation = Normalisation(norm: norm, film: film, shortcut: shortcut, width: width, columns: columns)
        func place(_ thread: Int) -> UnsafeMutablePointer<Float> {
            scratch.pointer + thread * Normalisation.scratchSize(columns: width)
        }
        if units >= pass.threads {
            // Enough units for all: each is finished by one thread, while its columns are at hand.
            let rounded = convolution.rounded(input, pass)
            var roundedSource: Sequences?
            if case .projected(let projection, let source) = shortcut {
                roundedSource = projection.rounded(source, pass)
            }
            pass.parallel(units) { unit, thread in
                let panels = unit * width / panel..<(min(columns, (unit + 1) * width) + panel - 1) / panel
                convolution.run(panels: panels, rounded ?? input, into: output)
                for sequence in 0..<output.batch {
                    normalisation.run(unit: unit, sequence: sequence, output, scratch: place(thread))
                }
                if case .projected(let projection, let source) = shortcut {
                    projection.run(panels: panels, roundedSource ?? source, into: output, accumulates: true)
                }
            }
            for copy in [rounded, roundedSource] { if let copy { pass.giveBack(copy) } }
        } else {
            convolution(input, into: output, pass)
            pass.parallel(units * output.batch) { index, thread in
                normalisation.run(
                    unit: index % units, sequence: index / units, output, scratch: place(thread))
            }
            if case .projected(let projection, let source) = shortcut {
                projection(source, into: output, accumulates: true, pass)
            }
        }
        pass.giveBack(scratch)
    }
}

/// Normalisation, Mish, modulation and an identity shortcut, in place, for one unit of columns of one sequence.
private struct Normalisation {
    let norm: GroupNorm
    let film: SequenceBlock.Film?
    let shortcut: SequenceBlock.Shortcut
    /// Columns of a unit, and of all.
    let width: Int
    let columns: Int

    /// Sums and squares in double precision, scale and shift in single.
    static func scratchSize(columns: Int) -> Int { 6 * columns }

    func run(unit: Int, sequence: Int, _ x: Sequences, scratch: UnsafeMutablePointer<Float>) {
        let first = unit * width
        let count = min(width, columns - first)
        let rowStride = x.batch * x.stride
        let place = x.pointer + sequence * x.stride + first
        let sums = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Double.self)
        let squares = sums + count
        let scale = scratch + 4 * count
        let shift = scale + count
        ds_channel_sums(place, x.positions, rowStride, count, sums, squares)
        scale.update(repeating: 0, count: 2 * count)  // padding stays zero
        let groupWidth = x.channels / norm.groups
        norm.coefficients(
            ofGroups: first / groupWidth..<min(norm.groups, (first + width) / groupWidth), sums: sums - first,
            squares: squares - first, pixels: x.positions, scale: scale - first, shift: shift - first)
        var modulation = ds_modulation(
            scale: scale, shift: shift, gain: film?.gain.map { $0 + sequence * (film?.stride ?? 0) + first },
            offset: film.map { $0.offset + sequence * $0.stride + first })
        var residual: UnsafePointer<Float>?
        var residualStride = 0
        if case .identity(let source) = shortcut {
            residual = UnsafePointer(source.pointer + sequence * source.stride + first)
            residualStride = source.batch * source.stride
        }
        ds_modulate(&modulation, count, place, x.positions, rowStride, residual, residualStride)
    }
}
