/// The network of DB25, App. I.2, for low-dimensional data: a prediction from a state, a time and a label.
///
/// The time's sinusoids go through one layer and stand beside the label's embedding: the conditioning. It and the state
/// each go through layers of their own, then both together through more, and a last linear one. An activation between all
/// layers, no normalisation. `weights/training/train_velocity_mlp.py` makes such folders.
///
/// As in ``UNet2D``, a row's output is the same, bit for bit, whatever stands beside it.
public struct VelocityMLP: Network {
    public let configuration: VelocityMLPConfiguration
    public let resources: NetworkResources

    let sinusoid: SinusoidalEmbedding
    let timeLayers: [Linear]  // time_layers
    let labels: FloatStorage  // class_embedding.weight
    let stateLayers: [Linear]  // state_layers
    let conditionLayers: [Linear]  // condition_layers
    let jointLayers: [Linear]  // joint_layers
    let output: Linear  // output

    public init(_ configuration: VelocityMLPConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        func stack(_ key: String, from inputs: ChannelLayout, _ widths: [Int]) throws(CheckpointError) -> [Linear] {
            var layers: [Linear] = []
            var inputs = inputs
            for (index, width) in widths.enumerated() {
                layers.append(try Linear(reader, "\(key).\(index)", from: inputs, to: width))
                inputs = ChannelLayout(width)
            }
            return layers
        }
        let channels = configuration.embeddingChannels
        let inner = configuration.preprocessing[configuration.preprocessing.count - 1]
        sinusoid = SinusoidalEmbedding(channels: channels, flipSinToCos: true, frequencyShift: 0)
        timeLayers = try stack("time_layers", from: ChannelLayout(channels), [channels])
        let table = try reader.read("class_embedding.weight", [configuration.labelCount, channels])
        labels = FloatStorage(table, count: table.count)
        stateLayers = try stack(
            "state_layers", from: ChannelLayout(configuration.dimension), configuration.preprocessing)
        conditionLayers = try stack(
            "condition_layers", from: ChannelLayout(channels, channels), configuration.preprocessing)
        jointLayers = try stack("joint_layers", from: ChannelLayout(inner, inner), configuration.postprocessing)
        output = try Linear(
            reader, "output", from: configuration.postprocessing[configuration.postprocessing.count - 1],
            to: configuration.dimension)
        resources = reader.resources
    }
}
