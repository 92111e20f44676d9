import CKernels

/// A number of channels as it lies in memory: padded with zeros to whole cache lines.
func paddedChannels(_ channels: Int) -> Int {
    let step = Int(DS_CHANNEL_STEP)
    return (channels + step - 1) / step * step
}

/// Images in channels-last order, `[images, height, width, stride]`, in a block of a workspace.
///
/// A value is valid until its block is given back; there is no reference counting behind it.
struct Images {
    let block: Workspace.Block
    let count: Int
    let height: Int
    let width: Int
    let channels: Int

    init(_ workspace: Workspace, count: Int, capacity: Int, height: Int, width: Int, channels: Int) {
        block = workspace.take(capacity * height * width * paddedChannels(channels))
        self.count = count
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// Floats from one pixel to the next.
    var stride: Int { paddedChannels(channels) }
    var pixels: Int { height * width }
    var pointer: UnsafeMutablePointer<Float> { block.pointer }
    func image(_ index: Int) -> UnsafeMutablePointer<Float> { block.pointer + index * pixels * stride }
}

/// What a layer reads: one set of images, or two whose channels follow each other (a skip connection) without being copied
/// together. In memory order the channels are those of the first part, its padding, those of the second, its padding.
struct FeatureMap {
    let first: Images
    let second: Images?

    init(_ first: Images, _ second: Images? = nil) {
        self.first = first
        self.second = second
    }

    var count: Int { first.count }
    var height: Int { first.height }
    var width: Int { first.width }
    var channels: Int { first.channels + (second?.channels ?? 0) }
    var stride: Int { first.stride + (second?.stride ?? 0) }
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
