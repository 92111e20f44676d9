/// What a row costs. The network itself needs fewer operations (see ``Convolution/Algorithm``).
extension UNet2D {
    public func floatingPointOperations(_ size: UNet2DConfiguration.ImageSize) -> Double {
        embedding.operations + timeProjection.operations + body.operations(size, context: 0)
    }
}
