import Imaging
import Models

extension ImageSample {
    /// The sample as it is looked at.
    public var picture: Image {
        Image(planes: values, channels: shape.channels, height: shape.height, width: shape.width, range: range)
    }
}
