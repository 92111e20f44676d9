import CKernels

/// 3×3 kernels transformed for Winograd's minimal filtering: (m + 2)² matrices `[inputs, outputs]`, packed.
struct WinogradMatrices: Sendable {
    let tile: Int
    let storage: FloatStorage
    /// Floats from one matrix to the next.
    let positionStride: Int
    let depth: Int
    let columns: Int

    var positions: Int { (tile + 2) * (tile + 2) }
    var panels: Int { PackedMatrix.panels(columns) }

    init(_ weights: [Float], outputs: Int, inputs: ChannelLayout, tile: Int, _ workspace: Workspace) {
        self.tile = tile
        depth = inputs.stride
        columns = paddedChannels(outputs)
        positionStride = PackedMatrix.panels(columns) * Int(ds_panel_width()) * depth
        let (depth, stride, panels) = (depth, positionStride, PackedMatrix.panels(columns))
        let indices = (0..<inputs.channels).map(inputs.position)
        let count = weights.isEmpty ? 0 : (tile + 2) * (tile + 2) * stride
        storage = FloatStorage(count: count) { memory in
            guard count > 0 else { return }
            let base = memory.baseAddress
            workspace.parallel(panels) { panel, _ in
                ds_pack_winograd(
                    Int32(tile), weights, outputs, inputs.channels, indices, depth, panel, panel + 1, base, stride)
            }
        }
    }
}
