/// A `UNet2DModel` of diffusers, for inference on the CPU. Immutable, to be shared freely.
///
/// Rows of a batch do not touch each other: a row's output is the same, bit for bit, whatever stands beside it, wherever it
/// stands, and whatever the number of threads.
public struct UNet2D: Network {
    public let configuration: UNet2DConfiguration
    public let resources: NetworkResources

    let embedding: TimeAndClass
    let timeProjection: TimeProjection
    let body: UNetBody

    public init(_ configuration: UNet2DConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        var builder = BlockBuilder(configuration.plan, reader)
        embedding = try TimeAndClass(
            reader,
            sinusoid: SinusoidalEmbedding(
                channels: configuration.blockChannels[0], flipSinToCos: configuration.flipSinToCos,
                frequencyShift: configuration.frequencyShift),
            channels: configuration.timeEmbeddingChannels, classes: configuration.classEmbedding, activation: .silu)
        body = try UNetBody(
            &builder, from: configuration.inChannels, to: configuration.outChannels,
            centersInput: configuration.centerInputSample, outActivation: .silu)
        timeProjection = builder.time.build(channels: configuration.timeEmbeddingChannels)
        resources = reader.resources
    }
}
