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
