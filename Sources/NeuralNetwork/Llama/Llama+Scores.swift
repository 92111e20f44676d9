import CKernels
import Platform

extension Llama {
    /// The scores of the next token after a text, and after continuations of it that form a tree.
    ///
    /// All tokens that `cache` does not know are computed in one pass, which reads the weights once (of long texts, in one for each
    /// 128 of them).
    /// - Parameters:
    ///   - context: the text, at least one token, all of the vocabulary.
    ///   - parents: of each node of the tree the one before it. Node 0 is the text's last token; a node comes after its parent.
    ///   - tokens: of each node; node 0's is not looked at.
    ///   - nodes: which of them scores are wanted after.
    ///   - cache: what is known of an earlier call's text and tree; it is left with what is known of these.
    ///   - threads: to share the work out among.
    package func scores(
        after context: [Int], parents: [Int], tokens: [Int], nodes: Range<Int>, cache: inout LlamaCache, threads: Int
    ) -> [[Float]] {
        precondition(!context.isEmpty && parents.count == tokens.count, "a context, and a token for each node")
        let root = context.count - 1
        var entries = context.enumerated().map { LlamaCache.Entry(parent: $0 - 1, token: $1) }
        for node in parents.indices.dropFirst() {
            entries.append(LlamaCache.Entry(parent: root + parents[node], token: tokens[node]))
        }
        let wanted = root + nodes.lowerBound..<root + nodes.upperBound
        let unknown = cache.arrange(entries, fresh: wanted)
        var result: [[Float]] = []
        for start in stride(from: 0, to: unknown.count, by: Self.rowsPerPass) {
            let slots = Array(unknown[start..<min(unknown.count, start + Self.rowsPerPass)])
            let rows = slots.map { row(slot: $0, root: root, entries: entries) }
            // A team of threads takes longer to call than little work takes to do.
            let isLittle = Double(rows.count) * Self.weights(of: configuration) < 2e6
            let workspace = workspaces.take(threads: isLittle ? 1 : max(1, min(threads, 256)))
            result += scores(rows, wanted: slots.indices.filter { wanted.contains(slots[$0]) }, &cache, workspace)
            workspaces.giveBack(workspace)
        }
        return result
    }

    private static let rowsPerPass = 128

    private static func weights(of configuration: LlamaConfiguration) -> Double {
        let heads = Double(2 * configuration.headCount + 2 * configuration.keyHeadCount)
        return Double(configuration.layerCount) * Double(configuration.width)
            * (heads * Double(configuration.headWidth) + 3 * Double(configuration.hiddenWidth))
    }

    /// A token to be computed.
    private struct Row {
        let token: Int
        let slot: Int
        /// In its own continuation of the text.
        let position: Int
        /// It sees these slots from the first on, and the others, ascending.
        let prefix: Int
        let others: [UInt32]
    }

    private func row(slot: Int, root: Int, entries: [LlamaCache.Entry]) -> Row {
        var others: [UInt32] = []
        var place = slot
        while place > root {
            others.append(UInt32(place))
            place = entries[place].parent
        }
        return Row(
            token: entries[slot].token, slot: slot, position: place + others.count, prefix: place + 1,
            others: others.reversed())
    }

    /// One pass. Rows come after those they see, unless these are in the cache.
    private func scores(
        _ rows: [Row], wanted: [Int], _ cache: inout LlamaCache, _ workspace: Workspace
    ) -> [[Float]] {
        // Room for scores in powers of two, so that memory is not asked for anew with every token.
        var scoreRoom = 256
        while scoreRoom < cache.entries.count + LlamaCache.block { scoreRoom *= 2 }
        let capacity = workspace.prepare(dimensions: [scoreRoom], rows: rows.count)
        workspace.giveBackAll()
        let pass = Pass(workspace: workspace, rows: 0..<rows.count, capacity: capacity)
        let width = paddedChannels(configuration.width)
        let hidden = paddedChannels(configuration.hiddenWidth)
        let headWidth = configuration.paddedHeadWidth
        let (heads, keyHeads) = (configuration.headCount, configuration.keyHeadCount)
        let projected = (heads + 2 * keyHeads) * headWidth

        let stream = pass.take(perRow: width).pointer
        let normed = pass.take(perRow: width).pointer
        let projections = pass.take(perRow: projected).pointer
        let mixed = pass.take(perRow: heads * headWidth).pointer
        let gates = pass.take(perRow: 2 * hidden).pointer
        let gated = pass.take(perRow: hidden).pointer
        let rotations = pass.take(perRow: configuration.headWidth).pointer
        let scratch = pass.take(perThread: scoreRoom).pointer

        for (index, row) in rows.enumerated() {
            embed(row.token, to: stream + index * width)
            turn(row.position, rotations + index * configuration.headWidth)
        }
        for (number, layer) in layers.enumerated() {
            ds_rms_norm(
                stream, rows.count, width, configuration.width, layer.attentionNorm.pointer,
                Float(configuration.epsilon), normed, width)
            layer.projections.multiply(
                normed, stride: width, count: rows.count, bias: layer.projectionBias?.pointer, into: projections,
                outStride: projected, pass)
            rotate(projections, rotations, count: rows.count)
            keep(rows, projections + heads * headWidth, stride: projected, layer: number, &cache)
            attend(rows, projections, into: mixed, layer: number, cache, scratch, scoreRoom, pass)
            layer.output.multiply(
                mixed, stride: heads * headWidth, count: rows.count, bias: layer.outputBias?.pointer, into: stream,
                outStride: width, residual: stream, residualStride: width, pass)
            ds_rms_norm(
                stream, rows.count, width, configuration.width, layer.feedForwardNorm.pointer,
                Float(configuration.epsilon), normed, width)
            layer.gates.multiply(
                normed, stride: width, count: rows.count, bias: layer.gateBias?.pointer, into: gates,
                outStride: 2 * hidden, pass)
            ds_gated_silu(gates, rows.count, 2 * hidden, hidden, gated, hidden)
            layer.down.multiply(
                gated, stride: hidden, count: rows.count, bias: layer.downBias?.pointer, into: stream,
                outStride: width, residual: stream, residualStride: width, pass)
        }
        guard !wanted.isEmpty else { return [] }
        for (place, index) in wanted.enumerated() {
            ds_rms_norm(
                stream + index * width, 1, width, configuration.width, norm.pointer, Float(configuration.epsilon),
                normed + place * width, width)
        }
        let columns = classifier.columns
        let logits = [Float](unsafeUninitializedCapacity: wanted.count * columns) { buffer, count in
            if let base = buffer.baseAddress {
                classifier.multiply(
                    normed, stride: width, count: wanted.count, bias: nil, into: base, outStride: columns, pass)
            }
            count = wanted.count * columns
        }
        return wanted.indices.map {
            Array(logits[$0 * columns..<$0 * columns + configuration.vocabularySize])
        }
    }

    private func embed(_ token: Int, to place: UnsafeMutablePointer<Float>) {
        let width = configuration.width
        if let embedding {
            place.update(from: embedding.pointer + token * width, count: width)
        } else {
            classifier.copyColumn(token, to: place)
        }
        (place + width).update(repeating: 0, count: paddedChannels(width) - width)
    }

    /// The cosines of a position's angles, then their sines.
    private func turn(_ position: Int, _ place: UnsafeMutablePointer<Float>) {
        for (pair, frequency) in frequencies.enumerated() {
            let angle = Double(Float(position) * frequency)
            place[pair] = Float(cos(angle))
            place[frequencies.count + pair] = Float(sin(angle))
        }
    }

    /// Turns the heads of queries and keys, which come first in each row.
    private func rotate(_ rows: UnsafeMutablePointer<Float>, _ rotations: UnsafePointer<Float>, count: Int) {
        let (half, headWidth) = (configuration.headWidth / 2, configuration.paddedHeadWidth)
        let heads = configuration.headCount + configuration.keyHeadCount
        let stride = (heads + configuration.keyHeadCount) * headWidth
        for row in 0..<count {
            let cosines = rotations + row * 2 * half
            let sines = cosines + half
            for head in 0..<heads {
                let first = rows + row * stride + head * headWidth
                let second = first + half
                for pair in 0..<half {
                    let (x, y) = (first[pair], second[pair])
                    first[pair] = x * cosines[pair] - y * sines[pair]
                    second[pair] = y * cosines[pair] + x * sines[pair]
                }
            }
        }
    }

    /// Puts the rows' keys and values, which lie behind each other, in their slots.
    private func keep(
        _ rows: [Row], _ computed: UnsafePointer<Float>, stride: Int, layer: Int, _ cache: inout LlamaCache
    ) {
        let size = cache.slotWidth
        let places = rows.map { cache.keyPlace($0.slot) }
        cache.keys[layer].withUnsafeMutableBufferPointer { keys in
            for (index, place) in places.enumerated() {
                let row = computed + index * stride
                for channel in 0..<size { keys[place + channel * LlamaCache.block] = row[channel] }
            }
        }
        cache.values[layer].withUnsafeMutableBufferPointer { values in
            guard let base = values.baseAddress else { return }
            for (index, row) in rows.enumerated() {
                (base + row.slot * size).update(from: computed + index * stride + size, count: size)
            }
        }
    }

    private func attend(
        _ rows: [Row], _ projections: UnsafePointer<Float>, into mixed: UnsafeMutablePointer<Float>, layer: Int,
        _ cache: LlamaCache, _ scratch: UnsafeMutablePointer<Float>, _ scoreRoom: Int, _ pass: Pass
    ) {
        let (heads, headWidth) = (configuration.headCount, cache.headWidth)
        let group = heads / configuration.keyHeadCount
        let stride = (heads + 2 * configuration.keyHeadCount) * headWidth
        let scale = 1 / Float(configuration.headWidth).squareRoot()
        cache.keys[layer].withUnsafeBufferPointer { keys in
            cache.values[layer].withUnsafeBufferPointer { values in
                guard let keyBase = keys.baseAddress, let valueBase = values.baseAddress else { return }
                // A head's keys serve all rows before the next head's come.
                pass.parallel(heads) { head, thread in
                    let shared = head / group * headWidth
                    for (index, row) in rows.enumerated() {
                        row.others.withUnsafeBufferPointer { others in
                            var attention = ds_attention(
                                keys: keyBase + shared * LlamaCache.block,
                                keyStride: cache.slotWidth * LlamaCache.block, values: valueBase + shared,
                                valueStride: cache.slotWidth, channels: headWidth, prefix: row.prefix,
                                others: others.baseAddress, otherCount: others.count, scale: scale)
                            ds_attend(
                                &attention, projections + index * stride + head * headWidth,
                                scratch + thread * scoreRoom, mixed + index * heads * headWidth + head * headWidth)
                        }
                    }
                }
            }
        }
    }
}
