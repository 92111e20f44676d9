import CKernels

/// 3×3 kernels transformed for Winograd's minimal filtering: (m + 2)² matrices `[inputs, outputs]`, packed.
struct WinogradMatrices: Sendable {
    let tile: Int
    let precision: Precision
    let storage: FloatStorage
    /// What the inputs' transform rounds with; nil in single precision.
    let feedback: FloatStorage?
    /// Words from one matrix to the next.
    let positionStride: Int
    /// Input channels as they lie in memory, in words.
    let words: Int
    let columns: Int

    var positions: Int { (tile + 2) * (tile + 2) }
    var panels: Int { PackedMatrix.panels(columns) }

    init(
        _ weights: [Float], outputs: Int, inputs: ChannelLayout, tile: Int, _ precision: Precision,
        _ workspace: Workspace
    ) {
        self.tile = tile
        self.precision = precision
        feedback =
            precision == .f32
            ? nil
            : FloatStorage(count: (tile + 2) * (tile + 2)) { ds_winograd_feedback(Int32(tile), $0.baseAddress) }
        words = precision.words(inputs.stride)
        columns = paddedChannels(outputs)
        positionStride = PackedMatrix.panels(columns) * Int(ds_panel_width()) * words
        let (words, stride, panels) = (words, positionStride, PackedMatrix.panels(columns))
        let indices = (0..<inputs.channels).map(inputs.position)
        let count = weights.isEmpty ? 0 : (tile + 2) * (tile + 2) * stride
        storage = FloatStorage(count: count) { memory in
            guard count > 0 else { return }
            let base = memory.baseAddress
            workspace.parallel(panels) { panel, _ in
                ds_pack_winograd(
                    precision.code, Int32(tile), weights, outputs, inputs.channels, indices, words, panel, panel + 1,
                    base, stride)
            }
        }
    }
}
