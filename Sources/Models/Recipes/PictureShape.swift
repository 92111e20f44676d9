/// The pictures that the states of a chain are, `[channels, height, width]`.
public struct PictureShape: Codable, Equatable, Sendable {
    public let channels: Int
    public let height: Int
    public let width: Int

    public init(channels: Int, height: Int, width: Int) {
        (self.channels, self.height, self.width) = (channels, height, width)
    }

    /// Values of a picture.
    public var size: Int { channels * height * width }
}
