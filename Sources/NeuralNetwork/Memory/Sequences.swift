import CKernels

/// A batch of sequences of feature vectors in a block of a workspace: position p of sequence b is row p · batch + b.
///
/// Positions come first so that what a convolution's tap reads, and writes, are consecutive rows whatever the batch. A value
/// may be a view of some of the columns of wider rows. It is valid until its block is given back.
struct Sequences {
    let pointer: UnsafeMutablePointer<Float>
    let batch: Int
    let positions: Int
    let channels: Int
    /// Floats from row to row.
    let stride: Int

    var rows: Int { batch * positions }

    /// - Parameters:
    ///   - stride: floats from row to row; nil for just the channels, padded.
    ///   - firstColumn: of the view in its rows.
    init(_ block: Workspace.Block, batch: Int, positions: Int, channels: Int, stride: Int? = nil, firstColumn: Int = 0)
    {
        pointer = block.pointer + firstColumn
        self.batch = batch
        self.positions = positions
        self.channels = channels
        self.stride = stride ?? Self.stride(columns: paddedChannels(channels))
    }

    /// Floats from row to row for so many columns: rows a multiple of 4 KiB apart would compete for the same cache sets.
    static func stride(columns: Int) -> Int { columns % 1024 == 0 ? columns + Int(DS_CHANNEL_STEP) : columns }
}

extension Sequences {
    /// Whether the channels of a layer's input follow each other without padding between two parts.
    func isContiguous(_ layout: ChannelLayout) -> Bool {
        layout.second == 0 || layout.first == paddedChannels(layout.first)
    }

    /// Copies the channels of both parts of such an input side by side.
    func join(_ layout: ChannelLayout, into output: Sequences) {
        for row in 0..<rows {
            let (from, to) = (pointer + row * stride, output.pointer + row * output.stride)
            to.update(repeating: 0, count: output.stride)
            to.update(from: from, count: layout.first)
            (to + layout.first).update(from: from + paddedChannels(layout.first), count: layout.second)
        }
    }
}
