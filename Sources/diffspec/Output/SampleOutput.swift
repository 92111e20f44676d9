import Diffusion
import Foundation
import Imaging
import NeuralNetwork
import Pretrained

/// Takes finished samples, in any order, and writes them out in theirs: a PNG each, raw tensors, a grid of the first.
/// Of the samples themselves only a bounded number is held in memory, however many there are.
struct SampleOutput {
    /// More pictures than this make a grid that nobody can look at.
    static let largestGrid = 1024

    private let shape: (channels: Int, height: Int, width: Int)
    private let range: ClosedRange<Double>
    private let folder: String?
    private let keepsGrid: Bool
    private var tensors: SafetensorsWriter?
    private var next = 0
    private var waiting: [Int: [Double]] = [:]
    private(set) var pictures: [Image] = []

    /// - Parameter folder: created if need be.
    init(model: PretrainedModel, count: Int, keepsGrid: Bool, folder: String?, tensors: String?) throws {
        shape = (model.network.configuration.inChannels, model.process.height, model.process.width)
        range = model.process.range
        self.keepsGrid = keepsGrid
        self.folder = folder
        if let folder {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw OutputError(path: folder, reason: error.localizedDescription)
            }
            guard FileManager.default.isWritableFile(atPath: folder) else {
                throw OutputError(path: folder, reason: "the folder is not writable")
            }
        }
        if let tensors {
            try OutputError.checkWritable(file: tensors)
            self.tensors = try SafetensorsWriter(
                path: tensors, tensors: [("samples", [count, shape.channels, shape.height, shape.width])])
        }
    }

    /// - Parameter index: 0 for the first sample of the run.
    mutating func accept(_ state: [Double], index: Int) throws {
        waiting[index] = state
        while let state = waiting.removeValue(forKey: next) {
            try write(state, index: next)
            next += 1
        }
    }

    private mutating func write(_ state: [Double], index: Int) throws {
        try tensors?.append(state.map { Float($0) })
        guard folder != nil || keepsGrid && pictures.count < Self.largestGrid else { return }
        let picture = Image(
            planes: state, channels: shape.channels, height: shape.height, width: shape.width, range: range)
        if let folder {
            let digits = String(index)
            let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".png"
            try picture.writePNG(to: URL(fileURLWithPath: folder).appendingPathComponent(name).path)
        }
        if keepsGrid, pictures.count < Self.largestGrid { pictures.append(picture) }
    }

    /// Puts the tensors in their place.
    mutating func finish() throws { try tensors?.finish() }
    /// Takes away what is half-written.
    func cancel() { tensors?.cancel() }
}
