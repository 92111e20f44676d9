import CKernels

/// An input that a network cannot take.
public struct NetworkInputError: Error, CustomStringConvertible, Sendable, Equatable {
    /// One line: which argument, what was expected, what was found.
    public let description: String
    public init(_ description: String) { self.description = description }
}

extension UNet2D {
    /// The network's output for a batch of rows, exactly as diffusers' `UNet2DModel.forward` returns it.
    ///
    /// - Parameters:
    ///   - sample: `[batch, inChannels, height, width]`.
    ///   - batch: number of rows, any from 0.
    ///   - height: divisible by 2^halvings, as is `width`: the resolution is halved so often, and must double back.
    ///   - timesteps: `[batch]`, the network's own time input.
    ///   - classLabels: `[batch]`, each from 0 ..< `num_class_embeds`; or any integers if the class input is embedded as time is.
    ///   - classInputs: in place of labels, for `class_embed_type` "timestep" `[batch]` numbers, for "identity" `[batch, timeEmbeddingChannels]`.
    ///   - threads: threads to use, the caller's among them.
    /// - Returns: `[batch, outChannels, height, width]`.
    /// - Throws: ``NetworkInputError`` if an argument has the wrong size or a label is out of range.
    public func callAsFunction(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], classLabels: [Int]? = nil,
        classInputs: [Float]? = nil, threads: Int
    ) throws(NetworkInputError) -> [Float] {
        try check(
            sample: sample.count, batch: batch, height: height, width: width, timesteps: timesteps.count,
            classLabels: classLabels, classInputs: classInputs?.count)
        guard batch > 0 else { return [] }
        let workspace = workspaces.take(threads: max(1, min(threads, 256)))
        defer { workspaces.giveBack(workspace) }
        return run(sample, batch, height, width, timesteps, classLabels, classInputs, workspace)
    }

    /// Where the time of a call with these arguments goes. The call is made twice, and the second one is measured.
    /// - Throws: ``NetworkInputError`` as the call does.
    public func profile(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], classLabels: [Int]? = nil,
        classInputs: [Float]? = nil, threads: Int
    ) throws(NetworkInputError) -> [LayerTime] {
        try check(
            sample: sample.count, batch: batch, height: height, width: width, timesteps: timesteps.count,
            classLabels: classLabels, classInputs: classInputs?.count)
        let workspace = Workspace(threads: max(1, min(threads, 256)))
        guard batch > 0 else { return [] }
        _ = run(sample, batch, height, width, timesteps, classLabels, classInputs, workspace)
        let profile = Profile()
        workspace.profile = profile
        _ = run(sample, batch, height, width, timesteps, classLabels, classInputs, workspace)
        return profile.layers
    }

    private func run(
        _ sample: [Float], _ batch: Int, _ height: Int, _ width: Int, _ timesteps: [Float], _ classLabels: [Int]?,
        _ classInputs: [Float]?, _ workspace: Workspace
    ) -> [Float] {
        let pixels = height * width
        let (inSize, outSize) = (configuration.inChannels * pixels, configuration.outChannels * pixels)
        // Large batches go through in chunks, to bound the memory.
        let chunk = min(batch, chunkSize(height: height, width: width))
        return Array(unsafeUninitializedCapacity: batch * outSize) { output, initialized in
            guard let outBase = output.baseAddress else { return }
            outBase.initialize(repeating: 0, count: batch * outSize)
            initialized = batch * outSize
            sample.withUnsafeBufferPointer { sample in
                guard let inBase = sample.baseAddress else { return }
                var first = 0
                while first < batch {
                    let count = min(chunk, batch - first)
                    let capacity = workspace.prepare(height: height, width: width, rows: count)
                    let rows = first..<first + count
                    var pass = Pass(
                        network: self, workspace: workspace, count: count, capacity: capacity, height: height,
                        width: width)
                    pass.run(
                        sample: inBase + first * inSize, timesteps: timesteps[rows], labels: classLabels?[rows],
                        classInputs: classInputs, firstRow: first, output: outBase + first * outSize)
                    first += count
                }
            }
        }
    }

    /// Rows taken through the network together: enough to keep the products large, few enough to bound the memory.
    private func chunkSize(height: Int, width: Int) -> Int {
        let widest =
            configuration.blockChannels.enumerated().map { level, channels in
                (height >> level) * (width >> level) * paddedChannels(channels)
            }.max() ?? 1
        // Skip connections and temporaries come to about 16 times the widest activation.
        return max(1, min(32, 100_000_000 / (16 * max(1, widest))))
    }

    private func check(
        sample: Int, batch: Int, height: Int, width: Int, timesteps: Int, classLabels: [Int]?, classInputs: Int?
    ) throws(NetworkInputError) {
        let unit = 1 << configuration.halvings
        guard (1...65_536).contains(height), (1...65_536).contains(width), height % unit == 0, width % unit == 0 else {
            throw NetworkInputError(
                "images of \(height)×\(width) pixels: this network halves the resolution \(configuration.halvings) times, so height and width must be multiples of \(unit) (at most 65536)"
            )
        }
        let (size, overflow) = max(0, batch).multipliedReportingOverflow(by: configuration.inChannels * height * width)
        guard batch >= 0, !overflow, sample == size else {
            throw NetworkInputError(
                "sample has \(sample) elements; expected [\(batch), \(configuration.inChannels), \(height), \(width)]")
        }
        guard timesteps == batch else { throw NetworkInputError("\(timesteps) timesteps for \(batch) rows") }
        switch configuration.classEmbedding {
        case .none:
            guard classLabels == nil, classInputs == nil else {
                throw NetworkInputError("class labels given to a network without classes")
            }
        case .table(let count):
            guard let classLabels else { throw NetworkInputError("this network needs class labels, 0 to \(count - 1)") }
            guard classLabels.count == batch else {
                throw NetworkInputError("\(classLabels.count) class labels for \(batch) rows")
            }
            if let label = classLabels.first(where: { !(0..<count).contains($0) }) {
                throw NetworkInputError(
                    "class label \(label) is out of range; this network has the classes 0 to \(count - 1)")
            }
        case .timestep:
            guard let found = classInputs ?? classLabels?.count else {
                throw NetworkInputError("this network needs a class input, one number for every row")
            }
            guard found == batch else { throw NetworkInputError("\(found) class inputs for \(batch) rows") }
        case .identity:
            let channels = configuration.timeEmbeddingChannels
            guard let classInputs else {
                throw NetworkInputError("this network needs class embeddings of \(channels) numbers for every row")
            }
            guard classInputs == batch * channels else {
                throw NetworkInputError(
                    "class embeddings have \(classInputs) elements; expected [\(batch), \(channels)]")
            }
        }
    }
}

/// One pass of some rows through the network.
private struct Pass {
    let network: UNet2D
    let workspace: Workspace
    let count: Int
    let capacity: Int
    let height: Int
    let width: Int

    mutating func run(
        sample: UnsafePointer<Float>, timesteps: ArraySlice<Float>, labels: ArraySlice<Int>?, classInputs: [Float]?,
        firstRow: Int, output: UnsafeMutablePointer<Float>
    ) {
        let configuration = network.configuration
        let columns = network.timeProjection.matrix.columns
        let time = TimeProjection.Values(block: workspace.take(capacity * columns), stride: columns)
        workspace.timed("time embedding") { embed(timesteps, labels, classInputs, firstRow: firstRow, into: time) }

        // 1. Input.
        let pixels = height * width
        let input = images(configuration.inChannels, height, width)
        let (scale, shift): (Float, Float) = configuration.centerInputSample ? (2, -1) : (1, 0)
        workspace.parallel(count) { image, _ in
            ds_to_channels_last(
                sample + image * configuration.inChannels * pixels, configuration.inChannels, pixels, input.stride,
                scale,
                shift, input.image(image))
        }
        var x = images(configuration.blockChannels[0], height, width)
        network.convIn(.init(FeatureMap(input)), into: x, workspace)
        workspace.giveBack(input.block)

        // 2. Down, keeping every block's output for the way up.
        var skips = [x]
        for block in network.downBlocks {
            for (index, residualBlock) in block.residualBlocks.enumerated() {
                x = residualBlock(FeatureMap(x), time: time, capacity: capacity, workspace)
                if index < block.attentions.count {
                    let before = x
                    x = block.attentions[index](x, capacity: capacity, workspace)
                    workspace.giveBack(before.block)
                }
                skips.append(x)
            }
            switch block.downsampler {
            case .convolution(let convolution):
                let smaller = images(convolution.outChannels, x.height / 2, x.width / 2)
                convolution(.init(FeatureMap(x)), into: smaller, workspace)
                x = smaller
                skips.append(x)
            case .residual(let residualBlock):
                x = residualBlock(FeatureMap(x), time: time, capacity: capacity, workspace)
                skips.append(x)
            case nil: break
            }
        }

        // 3. Middle. The last skip connection is still needed, everything after it is given back.
        var isSkip = true
        func replace(_ y: Images) {
            if !isSkip { workspace.giveBack(x.block) }
            isSkip = false
            x = y
        }
        if let block = network.midBlock {
            replace(block.first(FeatureMap(x), time: time, capacity: capacity, workspace))
            if let attention = block.attention { replace(attention(x, capacity: capacity, workspace)) }
            replace(block.second(FeatureMap(x), time: time, capacity: capacity, workspace))
        }

        // 4. Up, each residual block with the latest skip connection.
        for block in network.upBlocks {
            for (index, residualBlock) in block.residualBlocks.enumerated() {
                guard let skip = skips.popLast() else { break }
                replace(residualBlock(FeatureMap(x, skip), time: time, capacity: capacity, workspace))
                workspace.giveBack(skip.block)
                if index < block.attentions.count { replace(block.attentions[index](x, capacity: capacity, workspace)) }
            }
            switch block.upsampler {
            case .convolution(let convolution):
                let larger = images(convolution.outChannels, 2 * x.height, 2 * x.width)
                convolution(.init(FeatureMap(x), upsample: true), into: larger, workspace)
                replace(larger)
            case .residual(let residualBlock):
                replace(residualBlock(FeatureMap(x), time: time, capacity: capacity, workspace))
            case nil: break
            }
        }

        // 5. Output.
        let coefficients = network.normOut.coefficients(of: FeatureMap(x), capacity: capacity, workspace)
        let result = images(configuration.outChannels, height, width)
        network.convOut(.init(FeatureMap(x), coefficients, .silu), into: result, workspace)
        workspace.parallel(count) { image, _ in
            ds_from_channels_last(
                result.image(image), configuration.outChannels, pixels, result.stride,
                output + image * configuration.outChannels * pixels)
        }
    }

    private func images(_ channels: Int, _ height: Int, _ width: Int) -> Images {
        Images(workspace, count: count, capacity: capacity, height: height, width: width, channels: channels)
    }

    /// The time embedding, with the class embedding added, as every residual block sees it.
    private func embed(
        _ timesteps: ArraySlice<Float>, _ labels: ArraySlice<Int>?, _ classInputs: [Float]?, firstRow: Int,
        into values: TimeProjection.Values
    ) {
        let configuration = network.configuration
        let sinusoid = network.sinusoid
        let stride = paddedChannels(sinusoid.channels)
        let channels = configuration.timeEmbeddingChannels
        let embeddingStride = paddedChannels(channels)
        let waves = workspace.take(capacity * stride)
        let embedding = workspace.take(capacity * embeddingStride)
        for (row, timestep) in timesteps.enumerated() { sinusoid(timestep, into: waves.pointer + row * stride) }
        network.timeEmbedding(waves.pointer, count: count, into: embedding.pointer, workspace)

        func add(_ values: UnsafePointer<Float>, to row: Int) {
            let place = embedding.pointer + row * embeddingStride
            for channel in 0..<channels { place[channel] += values[channel] }
        }
        switch network.classEmbedding {
        case .none: break
        case .table(let table):
            for (row, label) in (labels ?? []).enumerated() { add(table.pointer + label * channels, to: row) }
        case .identity:
            classInputs?.withUnsafeBufferPointer { inputs in
                guard let base = inputs.baseAddress else { return }
                for row in 0..<count { add(base + (firstRow + row) * channels, to: row) }
            }
        case .timestep(let layer):
            let numbers = classInputs?[firstRow..<firstRow + count] ?? ArraySlice((labels ?? []).map(Float.init))
            for (row, number) in numbers.enumerated() { sinusoid(number, into: waves.pointer + row * stride) }
            let classes = workspace.take(capacity * embeddingStride)
            layer(waves.pointer, count: count, into: classes.pointer, workspace)
            for row in 0..<count { add(classes.pointer + row * embeddingStride, to: row) }
            workspace.giveBack(classes)
        }
        ds_activate(embedding.pointer, count * embeddingStride, configuration.activation.code, embedding.pointer)

        let matrix = network.timeProjection.matrix
        matrix.multiply(
            embedding.pointer, stride: embeddingStride, count: count, bias: network.timeProjection.bias.pointer,
            into: values.block.pointer, outStride: matrix.columns, workspace)
        workspace.giveBack(embedding)
        workspace.giveBack(waves)
    }
}
