import CKernels

/// A batch of sequences of feature vectors in a block of a workspace: position p of sequence b is row p · batch + b.
///
/// Positions come first so that what a convolution's tap reads, and writes, are consecutive rows whatever the batch. A value
/// may be a view of some of the columns of wider rows. It is valid until its block is given back.
struct Sequences {
    let pointer: UnsafeMutablePointer<Float>
    /// The memory that goes with the value; nil for a view, whose memory belongs to another.
    let block: Workspace.Block?
    let batch: Int
    let positions: Int
    let channels: Int
    /// Words from row to row: floats, or two numbers of sixteen bits each where a convolution has rounded them.
    let stride: Int

    var rows: Int { batch * positions }

    /// New sequences, one for every row of a pass, not initialised.
    /// - Parameter columns: floats that a row has room for; nil for the channels, padded.
    init(_ pass: Pass, positions: Int, channels: Int, columns: Int? = nil) {
        stride = Self.stride(columns: columns ?? paddedChannels(channels))
        let block = pass.take(perRow: positions * stride)
        self.block = block
        pointer = block.pointer
        batch = pass.count
        self.positions = positions
        self.channels = channels
    }

    /// A view of `channels` columns of wider rows.
    init(of whole: Sequences, firstColumn: Int, channels: Int) {
        pointer = whole.pointer + firstColumn
        block = nil
        batch = whole.batch
        positions = whole.positions
        self.channels = channels
        stride = whole.stride
    }

    /// Floats from row to row for so many columns: rows a multiple of 4 KiB apart would compete for the same cache sets.
    private static func stride(columns: Int) -> Int { columns % 1024 == 0 ? columns + Int(DS_CHANNEL_STEP) : columns }
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
