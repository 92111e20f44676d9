extension UNet2D {
    /// As ``Network/forward(_:_:_:into:_:)`` says.
    public func forward(
        _ sample: UnsafePointer<Float>, _ size: UNet2DConfiguration.ImageSize, _ conditioning: Conditioning,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        body(sample, size, time: embed(conditioning, pass), context: nil, into: output, pass)
    }

    /// The time embedding, with the class embedding added, as every residual block sees it.
    private func embed(_ conditioning: Conditioning, _ pass: Pass) -> TimeProjection.Values {
        pass.timed("time embedding") {
            let embedded = embedding(conditioning.timesteps, conditioning.classes, pass)
            configuration.activation(
                embedded.pointer, count: pass.count * paddedChannels(configuration.timeEmbeddingChannels))
            let values = timeProjection(embedded.pointer, pass)
            pass.giveBack(embedded)
            return values
        }
    }
}
