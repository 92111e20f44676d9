/// The architecture of the network by which LeRobot's diffusion policies see (`DiffusionRgbEncoder`): a residual network of
/// torchvision without its last pooling, a spatial softmax to keypoints (Finn et al. 2016), a linear layer and ReLU.
/// It is read from the policy's own `config.json`; absent keys take the defaults of LeRobot 0.1 to 0.5.
public struct VisionEncoderConfiguration: NetworkConfiguration {
    public static let className = "DiffusionRgbEncoder"
    public static let weightsName = "model"

    /// torchvision's residual networks (He et al. 2016).
    public enum Backbone: String, CaseIterable, Sendable {
        case resnet18, resnet34, resnet50, resnet101, resnet152

        /// Blocks at each of the four resolutions.
        var blocks: [Int] {
            switch self {
            case .resnet18: [2, 2, 2, 2]
            case .resnet34, .resnet50: [3, 4, 6, 3]
            case .resnet101: [3, 4, 23, 3]
            case .resnet152: [3, 8, 36, 3]
            }
        }

        /// Whether a block's 3×3 convolution stands between two of one pixel, and its result has four times the channels.
        var hasBottlenecks: Bool { self != .resnet18 && self != .resnet34 }
    }

    /// In pixels.
    public struct Size: Sendable, Equatable {
        public var height: Int
        public var width: Int

        public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
    }

    public var backbone = Backbone.resnet18
    /// Whether groups of sixteen channels are normalised, and not batches, whose moments training has found.
    public var usesGroupNorm = true
    public var keypoints = 32
    /// Of the pictures as they come.
    public var image: Size
    /// What they are resized to first; nil for nothing.
    public var resized: Size?
    /// How much of the centre is looked at then; nil for all of it.
    public var crop: Size?

    /// Pictures have red, green and blue.
    static let imageChannels = 3
    static let largestSide = 8192

    /// The numbers that a picture becomes: two for every keypoint.
    public var features: Int { 2 * keypoints }

    /// What the first convolution sees.
    var seen: Size { crop ?? resized ?? image }

    public init(image: Size) { self.image = image }
}

extension VisionEncoderConfiguration {
    public init(_ reader: ConfigurationReader) throws(CheckpointError) {
        image = try reader.firstImage()
        backbone = try reader.choice("vision_backbone", Backbone.self) ?? backbone
        usesGroupNorm = try reader.flag("use_group_norm") ?? usesGroupNorm
        keypoints = try reader.integer("spatial_softmax_num_keypoints", in: 1...4096) ?? keypoints
        resized = try reader.size("resize_shape")
        crop =
            try reader.value("crop_shape") == nil && !reader.isNull("crop_shape")
            ? Size(height: 84, width: 84) : reader.size("crop_shape")
        if let resized {
            // LeRobot then crops by the ratio alone.
            let ratio = try reader.number("crop_ratio", "a number above 0, at most 1") { $0 > 0 && $0 <= 1 } ?? 1
            crop =
                ratio < 1
                ? Size(height: Int(Double(resized.height) * ratio), width: Int(Double(resized.width) * ratio)) : nil
        }
        let whole = resized ?? image
        if let crop, !(1...whole.height).contains(crop.height) || !(1...whole.width).contains(crop.width) {
            throw reader.unsupported(
                "crop_shape", .array([.integer(crop.height), .integer(crop.width)]),
                supported: "null or at most the pictures' \(whole.height)×\(whole.width) pixels")
        }
    }
}

extension ConfigurationReader {
    fileprivate func size(_ key: String) throws(CheckpointError) -> VisionEncoderConfiguration.Size? {
        try integers(key, in: 1...VisionEncoderConfiguration.largestSide, count: 2...2).map {
            .init(height: $0[0], width: $0[1])
        }
    }

    /// The size of the first of the policy's pictures.
    fileprivate func firstImage() throws(CheckpointError) -> VisionEncoderConfiguration.Size {
        var shape: JSON?
        if case .object(let features) = value("input_features") {
            shape = features.first { $0.value["type"]?.string == "VISUAL" }?.value["shape"]
        } else if case .object(let shapes) = value("input_shapes") {
            shape = shapes.first { $0.key.hasPrefix("observation.image") }?.value
        }
        let sides = shape?.array?.compactMap(\.int) ?? []
        guard sides.count == 3, sides[0] == VisionEncoderConfiguration.imageChannels,
            sides.dropFirst().allSatisfy({ (1...VisionEncoderConfiguration.largestSide).contains($0) })
        else {
            throw unsupported(
                "input_features", shape ?? .null,
                supported: "pictures of the shape [3, height, width], at most "
                    + "\(VisionEncoderConfiguration.largestSide) each way")
        }
        return .init(height: sides[1], width: sides[2])
    }
}
