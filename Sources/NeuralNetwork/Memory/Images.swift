/// Images in channels-last order, `[images, height, width, stride]`, in a block of a workspace.
///
/// A value is valid until its block is given back; there is no reference counting behind it.
struct Images {
    let block: Workspace.Block
    let count: Int
    let height: Int
    let width: Int
    let channels: Int

    init(_ pass: Pass, channels: Int, height: Int, width: Int) {
        block = pass.take(perRow: height * width * paddedChannels(channels))
        count = pass.count
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
