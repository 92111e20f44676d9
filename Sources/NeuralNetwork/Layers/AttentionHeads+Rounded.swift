import CKernels

extension AttentionHeads {
    /// The same with products of sixteen bits. The keys and the values of every head are packed as weights are, once for all of its
    /// queries.
    func rounded(
        queries: Rows, keys: Rows, values: Rows, images: Int, into mixed: UnsafeMutablePointer<Float>, stride: Int,
        _ pass: Pass
    ) {
        let (words, keyWords) = (Precision.bf16.words(channels), Precision.bf16.words(keys.count))
        let width = Int(ds_panel_width())
        let keySize = PackedMatrix.panels(keys.count) * width * words
        let valueSize = PackedMatrix.panels(channels) * width * keyWords
        let packed = pass.take(floats: images * count * (keySize + valueSize))
        let rowsSize = keys.count * words
        let rows = pass.take(perThread: rowsSize)
        pass.parallel(images * count) { unit, thread in
            let (image, column) = (unit / count, unit % count * channels)
            let own = rows.pointer + thread * rowsSize
            func round(_ part: Rows) {
                ds_round_rows(
                    part.pointer + image * part.count * part.stride + column, part.count, part.stride, channels, own,
                    words)
            }
            let place = packed.pointer + unit * (keySize + valueSize)
            place.update(repeating: 0, count: keySize)
            round(keys)
            ds_pack_transposed(own, keys.count, words, place)
            round(values)
            ds_pack_rows(own, keys.count, words, place + keySize)
        }
        pass.giveBack(rows)

        let blocks = (queries.count + Self.queryBlock - 1) / Self.queryBlock
        let columns = paddedChannels(keys.count)
        // Scores, and what meets the weights: queries, then the rounded scores.
        let size = Self.queryBlock * (columns + max(words, keyWords))
        let scratch = pass.take(perThread: size)
        let scale = 1 / Float(channels).squareRoot()
        pass.parallel(images * count * blocks) { unit, thread in
            let (head, block) = (unit / blocks, unit % blocks)
            let (image, column) = (head / count, head % count * channels)
            let first = block * Self.queryBlock
            let rows = min(Self.queryBlock, queries.count - first)
            let scores = scratch.pointer + thread * size
            let factors = scores + Self.queryBlock * columns
            let place = packed.pointer + head * (keySize + valueSize)
            ds_round_rows(
                queries.pointer + (image * queries.count + first) * queries.stride + column, rows, queries.stride,
                channels, factors, words)
            func multiply(
                depth: Int, by weights: UnsafePointer<Float>, columns: Int, into out: UnsafeMutablePointer<Float>,
                _ outStride: Int
            ) {
                var product = ds_product(
                    precision: Precision.bf16.code, taps: nil, tapCount: 1, depth: depth, weights: weights,
                    columns: columns, bias: nil, scale: 1, next: nil)
                ds_multiply_strided(
                    &product, factors, depth, rows, 0, PackedMatrix.panels(columns), out, outStride, nil, 0)
            }
            multiply(depth: words, by: place, columns: columns, into: scores, columns)
            ds_softmax(scores, rows, keys.count, columns, scale)
            ds_round_rows(scores, rows, columns, keys.count, factors, keyWords)
            multiply(
                depth: keyWords, by: place + keySize, columns: channels,
                into: mixed + (image * queries.count + first) * stride + column, stride)
        }
        pass.giveBack(scratch)
        pass.giveBack(packed)
    }
}
