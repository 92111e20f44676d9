import Diffusion
import Foundation
import Imaging
import Models
import NeuralNetwork
import Platform

/// Takes finished samples, in any order, and writes them out: a PNG each, raw tensors, a grid of the first. Of the samples
/// themselves none is held in memory, but the grid's pictures.
struct SampleOutput {
    /// More pictures than this make a grid that nobody can look at.
    static let largestGrid = 1024

    private let format: SampleFormat
    /// Makes pictures of samples that are latents, on so many threads.
    private let decoder: LatentDecoder?
    private let threads: Int
    /// The samples of this run, by their numbers in the job.
    private let samples: Range<Int>
    private let folder: String?
    private let keepsGrid: Bool
    private let tensors: SafetensorsWriter?
    private var shown: [Int: Image] = [:]

    /// - Parameters:
    ///   - folder: created if need be.
    ///   - decoder: of a model of latents.
    ///   - threads: cores for it.
    ///   - isResumable: keeps unfinished tensors for a later process.
    init(
        format: SampleFormat, samples: Range<Int>, keepsGrid: Bool, folder: String?, tensors: String?,
        isResumable: Bool = false, decoder: LatentDecoder? = nil, threads: Int = 1
    ) throws {
        self.format = format
        (self.decoder, self.threads) = (decoder, threads)
        self.samples = samples
        self.keepsGrid = keepsGrid
        self.folder = folder
        if let folder { try OutputError.prepare(folder: folder) }
        self.tensors = try tensors.map { path in
            try OutputError.checkWritable(file: path)
            return try SafetensorsWriter(
                path: path, tensors: [("samples", [samples.count, format.channels, format.height, format.width])],
                isResumable: isResumable)
        }
    }

    /// Writes a sample.
    /// - Returns: the fingerprint of its files' bytes.
    mutating func accept(_ state: [Double], sample: Int) throws -> UInt64 {
        var fingerprint = Fingerprint()
        let isShown = keepsGrid && sample - samples.lowerBound < Self.largestGrid
        if folder != nil || isShown {
            let picture = format.picture(of: try decoder?.picture(of: state, threads: threads) ?? state)
            if let folder {
                let bytes = Array(try picture.pngData())
                try AtomicFile.write(bytes, to: Self.path(of: sample, in: folder))
                fingerprint.combine(bytes)
            }
            if isShown { shown[sample] = picture }
        }
        if let tensors {
            let values = state.map { Float($0) }
            try tensors.write(values, at: (sample - samples.lowerBound) * format.size)
            fingerprint.combine(Self.bytes(of: values))
        }
        return fingerprint.value
    }

    /// Takes over a sample that an earlier process wrote, if it is what it was then.
    /// - Returns: whether it is.
    mutating func keep(_ sample: Int, fingerprint expected: UInt64) throws -> Bool {
        var fingerprint = Fingerprint()
        if let folder {
            guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: Self.path(of: sample, in: folder))) else {
                return false
            }
            fingerprint.combine(bytes)
        }
        let first = (sample - samples.lowerBound) * format.size
        if let tensors { fingerprint.combine(try tensors.earlierBytes(first..<first + format.size)) }
        guard fingerprint.value == expected else { return false }
        tensors?.keep(first..<first + format.size)
        return true
    }

    /// The grid's pictures, in order; those that an earlier process made are read back.
    func pictures() throws -> [Image] {
        guard keepsGrid else { return [] }
        return try samples.prefix(Self.largestGrid).map { sample in
            if let picture = shown[sample] { return picture }
            let path = Self.path(of: sample, in: folder ?? "")
            do { return try format.picture(png: Data(contentsOf: URL(fileURLWithPath: path)), path: path) } catch let
                error as ImagingError
            {
                throw error
            } catch { throw OutputError(path: path, reason: "it was there, and is not any more") }
        }
    }

    /// Writes the grid as it is: finished samples, and about what those under way will come to. Those that have not begun are
    /// left out.
    func writePreview(of active: [SampleState], _ style: GridStyle, to path: String) throws {
        let coming = Dictionary(uniqueKeysWithValues: active.map { ($0.sample, $0) })
        var pictures: [Image] = []
        for sample in samples.prefix(Self.largestGrid) {
            if let picture = shown[sample] {
                pictures.append(picture)
            } else if let state = coming[sample] {
                let values = state.prediction ?? state.state
                pictures.append(format.picture(of: try decoder?.picture(of: values, threads: threads) ?? values))
            }
        }
        try style.write(pictures, to: path)
    }

    /// Sees to it that a manifest that speaks of the tensors does not outlive them.
    func synchronise() throws { try tensors?.synchronise() }
    /// Puts the tensors in their place.
    func finish() throws { try tensors?.finish() }
    /// Takes away what is half-written and not to be resumed.
    func cancel() { tensors?.cancel() }

    /// `000123.png`
    static func path(of sample: Int, in folder: String) -> String {
        let digits = String(sample)
        let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".png"
        return URL(fileURLWithPath: folder).appendingPathComponent(name).path
    }

    /// As a safetensors file holds them.
    static func bytes(of values: [Float]) -> [UInt8] {
        values.map(\.bitPattern.littleEndian).withUnsafeBytes(Array.init)
    }
}
