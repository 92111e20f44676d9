import CKernels

/// A number of channels as it lies in memory: padded with zeros to whole cache lines.
package func paddedChannels(_ channels: Int) -> Int {
    let step = Int(DS_CHANNEL_STEP)
    return (channels + step - 1) / step * step
}

/// How a layer's input channels are made up, known when the weights are laid out.
struct ChannelLayout: Sendable, Equatable {
    let first: Int
    let second: Int

    init(_ first: Int, _ second: Int = 0) {
        self.first = first
        self.second = second
    }

    var channels: Int { first + second }
    /// Channels with padding, as they lie in memory.
    var stride: Int { paddedChannels(first) + (second > 0 ? paddedChannels(second) : 0) }
    /// The place in memory of channel `index`.
    func position(_ index: Int) -> Int { index < first ? index : paddedChannels(first) + index - first }
}
