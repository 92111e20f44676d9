import NeuralNetwork

/// A large latent is decoded tile by tile, so that memory depends on the tile: tiles as large as the autoencoder was trained
/// on, which overlap by a quarter and are blended there, as diffusers' `enable_tiling` does it. The pictures are near those of
/// the whole latent, not the same: a tile's normalisations see the tile alone.
struct TiledDecoding {
    let autoencoder: any Autoencoder
    /// Height and width of a tile of the latent.
    let tile: Int

    /// The share of a tile that it has in common with the next.
    private static let overlap = 0.25
    /// Pixels of pictures that are decoded as a whole.
    static let largestWhole = 1024 * 1024

    /// How a latent of this size is decoded in tiles; nil for one that is decoded as a whole.
    init?(_ autoencoder: any Autoencoder, height: Int, width: Int) {
        let factor = autoencoder.base.pixelsPerLatent
        guard height * width * factor * factor > Self.largestWhole, let trained = autoencoder.base.sampleSize else {
            return nil
        }
        self.init(autoencoder, tile: min(trained.height, trained.width) / factor)
        guard tile < max(height, width) else { return nil }
    }

    /// nil for a tile too small to overlap with another.
    init?(_ autoencoder: any Autoencoder, tile: Int) {
        guard tile >= 4 else { return nil }
        (self.autoencoder, self.tile) = (autoencoder, tile)
    }

    /// Values `[channels][height][width]`.
    private struct Plane {
        var values: [Float]
        let height: Int
        let width: Int

        func index(_ channel: Int, _ y: Int, _ x: Int) -> Int { (channel * height + y) * width + x }

        /// The first rows fade in over the last of another plane.
        mutating func blendBelow(_ above: Plane, channels: Int, extent: Int) {
            let extent = min(above.height, height, extent)
            for channel in 0..<channels {
                for y in 0..<extent {
                    let share = Float(y) / Float(extent)
                    for x in 0..<min(width, above.width) {
                        let other = above.values[above.index(channel, above.height - extent + y, x)]
                        let place = index(channel, y, x)
                        values[place] = other * (1 - share) + values[place] * share
                    }
                }
            }
        }

        /// And the first columns.
        mutating func blendRight(of left: Plane, channels: Int, extent: Int) {
            let extent = min(left.width, width, extent)
            for channel in 0..<channels {
                for y in 0..<min(height, left.height) {
                    for x in 0..<extent {
                        let share = Float(x) / Float(extent)
                        let other = left.values[left.index(channel, y, left.width - extent + x)]
                        let place = index(channel, y, x)
                        values[place] = other * (1 - share) + values[place] * share
                    }
                }
            }
        }
    }

    /// - Parameter latent: `[decodedChannels, height, width]`
    /// - Returns: `[outChannels, height · pixelsPerLatent, width · pixelsPerLatent]`
    func callAsFunction(_ latent: [Float], height: Int, width: Int, threads: Int) throws -> [Float] {
        let (factor, channels) = (autoencoder.base.pixelsPerLatent, autoencoder.base.outChannels)
        let step = max(1, Int(Double(tile) * (1 - Self.overlap)))
        let extent = Int(Double(tile * factor) * Self.overlap)
        let kept = tile * factor - extent
        var picture = Plane(
            values: [Float](repeating: 0, count: channels * height * width * factor * factor),
            height: height * factor, width: width * factor)
        // Of the row of tiles above, and of this one so far.
        var (above, row): ([Plane], [Plane]) = ([], [])
        var top = 0
        for firstRow in stride(from: 0, to: height, by: step) {
            var left = 0
            for firstColumn in stride(from: 0, to: width, by: step) {
                var plane = try decode(
                    latent, firstRow..<min(firstRow + tile, height), firstColumn..<min(firstColumn + tile, width),
                    height: height, width: width, threads: threads)
                if !above.isEmpty { plane.blendBelow(above[row.count], channels: channels, extent: extent) }
                if let last = row.last { plane.blendRight(of: last, channels: channels, extent: extent) }
                for channel in 0..<channels {
                    for y in 0..<min(kept, plane.height, picture.height - top) {
                        for x in 0..<min(kept, plane.width, picture.width - left) {
                            picture.values[picture.index(channel, top + y, left + x)] =
                                plane.values[plane.index(channel, y, x)]
                        }
                    }
                }
                row.append(plane)
                left += min(kept, plane.width)
            }
            top += min(kept, row.first?.height ?? kept)
            (above, row) = (row, [])
        }
        return picture.values
    }

    /// One tile's picture.
    private func decode(
        _ latent: [Float], _ rows: Range<Int>, _ columns: Range<Int>, height: Int, width: Int, threads: Int
    ) throws -> Plane {
        let values = (0..<autoencoder.decodedChannels).flatMap { channel in
            rows.flatMap { row in
                let start = (channel * height + row) * width
                return latent[start + columns.lowerBound..<start + columns.upperBound]
            }
        }
        let factor = autoencoder.base.pixelsPerLatent
        return Plane(
            values: try autoencoder.decode(
                values, count: 1, height: rows.count, width: columns.count, threads: threads),
            height: rows.count * factor, width: columns.count * factor)
    }
}
