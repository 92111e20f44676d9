/// The embeddings of time and class that a U-Net's residual blocks see as one.
struct TimeAndClass: Sendable {
    let sinusoid: SinusoidalEmbedding
    let time: TimestepEmbedding  // time_embedding
    let classes: Classes  // class_embedding
    let channels: Int

    enum Classes: Sendable {
        case none
        case table(FloatStorage)  // class_embedding.weight
        case timestep(TimestepEmbedding)
        case identity
        case projection(TimestepEmbedding)
        case linear(Linear)
    }

    /// - Parameters:
    ///   - sinusoid: of time, and of classes that are numbers.
    ///   - channels: of the result.
    ///   - kind: of class input.
    ///   - activation: of the embeddings' hidden layers.
    init(
        _ reader: ParameterReader, sinusoid: SinusoidalEmbedding, channels: Int,
        classes kind: UNet2DConfiguration.ClassEmbedding, activation: Activation
    ) throws(CheckpointError) {
        self.sinusoid = sinusoid
        self.channels = channels
        func embedding(
            _ key: String, from inputs: Int, _ activation: Activation
        ) throws(CheckpointError) -> TimestepEmbedding {
            try TimestepEmbedding(reader, key, from: inputs, to: channels, activation)
        }
        time = try embedding("time_embedding", from: sinusoid.channels, activation)
        switch kind {
        case .none: classes = .none
        case .identity: classes = .identity
        case .table(let count):
            let values = try reader.read("class_embedding.weight", [count, channels])
            classes = .table(FloatStorage(values, count: values.count))
        case .timestep: classes = .timestep(try embedding("class_embedding", from: sinusoid.channels, activation))
        case .projection(let inputs):
            // diffusers gives this one SiLU, whatever the network's own.
            classes = .projection(try embedding("class_embedding", from: inputs, .silu))
        case .linear(let inputs):
            classes = .linear(try Linear(reader, "class_embedding", from: inputs, to: channels))
        }
    }

    /// The embeddings of the pass's rows, `paddedChannels(channels)` floats apart.
    func callAsFunction(_ timesteps: [Float], _ values: UNet2D.Classes, _ pass: Pass) -> Workspace.Block {
        let waves = pass.take(perRow: paddedChannels(sinusoid.channels))
        let embedding = pass.take(perRow: paddedChannels(channels))
        sinusoid(timesteps[pass.rows], into: waves.pointer)
        time(waves.pointer, into: embedding.pointer, pass)
        add(values, to: embedding.pointer, waves: waves.pointer, pass)
        pass.giveBack(waves)
        return embedding
    }

    /// Adds the class embedding of every row to its embedding.
    /// - Parameter waves: memory that sinusoids of class inputs may be written to.
    private func add(
        _ values: UNet2D.Classes, to embedding: UnsafeMutablePointer<Float>, waves: UnsafeMutablePointer<Float>,
        _ pass: Pass
    ) {
        let stride = paddedChannels(channels)
        func add(_ values: UnsafePointer<Float>, to row: Int) {
            let place = embedding + row * stride
            for channel in 0..<channels { place[channel] += values[channel] }
        }
        /// Adds what a layer makes of rows of its own.
        func add(_ layer: (UnsafeMutablePointer<Float>) -> Void) {
            let embedded = pass.take(perRow: stride)
            layer(embedded.pointer)
            for row in 0..<pass.count { add(embedded.pointer + row * stride, to: row) }
            pass.giveBack(embedded)
        }
        switch (classes, values) {
        case (.table(let table), .labels(let labels)):
            for (row, label) in labels[pass.rows].enumerated() { add(table.pointer + label * channels, to: row) }
        case (.identity, .values(let values)):
            values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                for (row, index) in pass.rows.enumerated() { add(base + index * channels, to: row) }
            }
        case (.timestep(let layer), _):
            if let numbers = values.numbers { sinusoid(numbers[pass.rows], into: waves) }
            add { layer(waves, into: $0, pass) }
        case (.projection(let layer), .values(let values)):
            let rows = Images(pass, tokens: values, count: 1, channels: layer.first.inChannels)
            add { layer(rows.pointer, into: $0, pass) }
            pass.giveBack(rows)
        case (.linear(let layer), .values(let values)):
            let rows = Images(pass, tokens: values, count: 1, channels: layer.inChannels)
            add { layer(rows.pointer, stride: rows.stride, count: pass.count, into: $0, pass) }
            pass.giveBack(rows)
        default: break  // No class embedding; anything else has been refused.
        }
    }

    /// Operations a row.
    var operations: Double {
        time.operations
            + {
                switch classes {
                case .none, .table, .identity: 0
                case .timestep(let layer), .projection(let layer): layer.operations
                case .linear(let layer): layer.operations
                }
            }()
    }
}

extension UNet2DConfiguration.ClassEmbedding {
    /// Refuses classes that are not of this kind, or not those of so many rows.
    /// - Parameter channels: of the embedding.
    func check(_ classes: UNet2D.Classes, rows: Int, channels: Int) throws(NetworkInputError) {
        switch (self, classes) {
        case (.none, .none): break
        case (.none, _): throw NetworkInputError("class labels given to a network without classes")
        case (.table(let count), .labels(let labels)):
            try NetworkInputError.check(labels: labels, count: count, rows: rows)
        case (.table(let count), _):
            throw NetworkInputError("this network needs class labels, 0 to \(count - 1)")
        case (.timestep, .labels(let labels)):
            try NetworkInputError.check(labels.count, "class inputs", rows: rows)
        case (.timestep, .values(let values)):
            try NetworkInputError.check(values.count, "class inputs", rows: rows)
        case (.timestep, .none):
            throw NetworkInputError("this network needs a class input, one number for every row")
        case (.identity, _), (.projection, _), (.linear, _):
            let width =
                switch self {
                case .projection(let inputs), .linear(let inputs): inputs
                default: channels
                }
            guard case .values(let values) = classes else {
                throw NetworkInputError("this network needs class embeddings of \(width) numbers for every row")
            }
            try NetworkInputError.check(values.count, "class embeddings have", rows: rows, dimensions: [width])
        }
    }
}
