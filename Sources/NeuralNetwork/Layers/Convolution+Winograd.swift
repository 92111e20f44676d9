import CKernels

extension Convolution {
    /// The three steps on some tiles: input transform, one product per position, output transform.
    ///
    /// Tiles are counted by rows of tiles, over all images: tile row r is row r mod `tileRows` of image r / `tileRows`.
    private struct Plan {
        let convolution: Convolution
        let matrices: WinogradMatrices
        let input: Input
        let output: Output
        let out: Images

        var tile: Int { matrices.tile }
        var tileRows: Int { (out.height + tile - 1) / tile }
        var tileColumns: Int { (out.width + tile - 1) / tile }
        var paddedWidth: Int { tileColumns * tile + 2 }
        /// Floats of the padded rows that one row of tiles reads.
        var bandSize: Int { (tile + 2) * paddedWidth * input.map.stride }
        /// An odd number of cache lines apart, so that positions do not compete for the same cache sets.
        func inputStride(_ tiles: Int) -> Int { (tiles * matrices.words) | 16 }
        func outputStride(_ tiles: Int, columns: Int) -> Int { (tiles * columns) | 16 }

        /// - Parameter continues: `band` still holds the padded rows of the tile row before, in the same image; the last two
        ///   of them are the first two of these.
        func transformInput(
            tileRow: Int, continues: Bool, band: UnsafeMutablePointer<Float>, to values: UnsafeMutablePointer<Float>,
            stride: Int
        ) {
            let (image, row) = (tileRow / tileRows, tileRow % tileRows)
            let floats = input.map.stride
            let rowSize = paddedWidth * floats
            let known = continues && row > 0 ? 2 : 0
            if known > 0 { band.update(from: band + tile * rowSize, count: known * rowSize) }
            convolution.gather(
                input, image: image, rows: row * tile + known..<(row + 1) * tile + 2, top: 1, paddedWidth: paddedWidth,
                as: .f32, to: band + known * rowSize)
            for column in 0..<tileColumns {
                ds_winograd_input(
                    Int32(tile), matrices.feedback?.pointer, band + column * tile * floats, paddedWidth * floats,
                    floats,
                    values + column * matrices.words, stride)
            }
        }

        /// Products of `tiles` tiles for some panels of columns, a row of `columns` floats for every tile.
        func multiply(
            position: Int, panels: Range<Int>, tiles: Int,
            _ values: UnsafeMutablePointer<Float>, valueStride: Int,
            to products: UnsafeMutablePointer<Float>, productStride: Int, columns: Int
        ) {
            let panelSize = Int(ds_panel_width()) * matrices.words
            let weights = matrices.storage.pointer + position * matrices.positionStride + panels.lowerBound * panelSize
            var product = ds_product(
                precision: matrices.precision.code, taps: nil, tapCount: 1, depth: matrices.words,
                weights: weights, columns: columns, bias: nil, scale: 1,
                next: position + 1 < matrices.positions ? weights + matrices.positionStride : nil)
            ds_multiply_strided(
                &product, values + position * valueStride, matrices.words, tiles, 0, panels.count,
                products + position * productStride, columns, nil, 0)
        }

        /// - Parameter channels: the channels that `products` holds.
        func transformOutput(
            tileRow: Int, channels: Range<Int>, _ products: UnsafeMutablePointer<Float>, stride: Int
        ) {
            let (image, row) = (tileRow / tileRows, tileRow % tileRows)
            let bias = output.imageBias.map { $0.pointer + image * $0.imageStride } ?? convolution.bias.pointer
            let rows = min(tile, out.height - row * tile)
            let first = channels.lowerBound
            for column in 0..<tileColumns {
                let pixel = row * tile * out.width + column * tile
                let residual = output.residual
                ds_winograd_output(
                    Int32(tile), products + column * channels.count, stride, channels.count, bias + first, output.scale,
                    rows, min(tile, out.width - column * tile),
                    out.image(image) + pixel * out.stride + first, out.width * out.stride, out.stride,
                    residual.map { UnsafePointer($0.image(image) + pixel * $0.stride + first) },
                    (residual?.width ?? 0) * (residual?.stride ?? 0), residual?.stride ?? 0)
            }
        }
    }

    func winograd(
        _ matrices: WinogradMatrices, _ input: Input, _ output: Output, into out: Images, _ pass: Pass
    ) {
        let plan = Plan(convolution: self, matrices: matrices, input: input, output: output, out: out)
        let columns = plan.tileColumns
        let total = out.count * plan.tileRows
        // Tiles that a thread takes through all three steps: their input transforms should fill half of its second cache.
        let preferred = min(96, max(16, 400_000 / (matrices.positions * matrices.words)))
        let rowsPerBlock = max(1, preferred / columns)
        let blocks = (total + rowsPerBlock - 1) / rowsPerBlock
        if blocks >= 2 * pass.threads || pass.threads == 1 {
            byBlocks(plan, blocks: blocks, total: total, pass)
        } else {
            bySteps(plan, total: total, pass)
        }
    }

    /// Many tiles: each thread takes some of them through all three steps, some output channels at a time.
    private func byBlocks(_ plan: Plan, blocks: Int, total: Int, _ pass: Pass) {
        let (matrices, columns) = (plan.matrices, plan.tileColumns)
        let tiles = (total + blocks - 1) / blocks * columns
        let width = Int(ds_panel_width())
        let panelsAtOnce = max(1, 64 / width)
        let (valueStride, productStride) = (
            plan.inputStride(tiles), plan.outputStride(tiles, columns: panelsAtOnce * width)
        )
        let size = plan.bandSize + matrices.positions * (valueStride + productStride)
        let scratch = pass.take(perThread: size)
        pass.parallel(blocks) { block, thread in
            let band = scratch.pointer + thread * size
            let values = band + plan.bandSize
            let products = values + matrices.positions * valueStride
            let rows = block * total / blocks..<(block + 1) * total / blocks
            for (index, row) in rows.enumerated() {
                plan.transformInput(
                    tileRow: row, continues: index > 0, band: band, to: values + index * columns * matrices.words,
                    stride: valueStride)
            }
            var panel = 0
            while panel < matrices.panels {
                let panels = panel..<min(panel + panelsAtOnce, matrices.panels)
                let channels = panel * width..<min(panels.upperBound * width, matrices.columns)
                for position in 0..<matrices.positions {
                    plan.multiply(
                        position: position, panels: panels, tiles: rows.count * columns, values,
                        valueStride: valueStride,
                        to: products, productStride: productStride, columns: channels.count)
                }
                for (index, row) in rows.enumerated() {
                    plan.transformOutput(
                        tileRow: row, channels: channels, products + index * columns * channels.count,
                        stride: productStride)
                }
                panel = panels.upperBound
            }
        }
        pass.giveBack(scratch)
    }

    /// Few tiles: every step is shared out among the threads, and no thread reads all of the weights.
    private func bySteps(_ plan: Plan, total: Int, _ pass: Pass) {
        let (matrices, columns) = (plan.matrices, plan.tileColumns)
        let tiles = total * columns
        let (valueStride, productStride) = (
            plan.inputStride(tiles), plan.outputStride(tiles, columns: matrices.columns)
        )
        let values = pass.take(floats: matrices.positions * valueStride)
        let products = pass.take(floats: matrices.positions * productStride)
        let bands = pass.take(perThread: plan.bandSize)
        pass.parallel(total) { row, thread in
            plan.transformInput(
                tileRow: row, continues: false, band: bands.pointer + thread * plan.bandSize,
                to: values.pointer + row * columns * matrices.words, stride: valueStride)
        }
        pass.parallel(matrices.positions) { position, _ in
            plan.multiply(
                position: position, panels: 0..<matrices.panels, tiles: tiles, values.pointer, valueStride: valueStride,
                to: products.pointer, productStride: productStride, columns: matrices.columns)
        }
        pass.parallel(total) { row, _ in
            plan.transformOutput(
                tileRow: row, channels: 0..<matrices.columns, products.pointer + row * columns * matrices.columns,
                stride: productStride)
        }
        pass.giveBack(bands)
        pass.giveBack(products)
        pass.giveBack(values)
    }
}
