import Diffusion
import Foundation
import NeuralNetwork

/// The diffusion process that a network was trained for, and what its samples show.
public struct TrainedProcess: Sendable {
    public let noise: NoiseProcess
    public let height: Int
    public let width: Int
    /// The values that are shown as black and white.
    public let range: ClosedRange<Double>
    /// Names of the classes in the order of their labels; empty where nobody named them.
    public let classNames: [String]
    /// The label trained as "no class".
    public let nullClass: Int?

    public var schedule: any NoiseSchedule { noise.schedule }
    public var scheduleName: String { noise.scheduleName }
    public var prediction: PredictionKind { noise.prediction }
    public var timeInput: TimeInput { noise.timeInput }
    public var ancestral: (betas: BetaSchedule, options: AncestralOptions)? { noise.ancestral }

    /// Reads `process.json` or `scheduler/scheduler_config.json` of a model folder.
    /// - Parameter override: takes the place of the folder's schedule, or of one that it lacks.
    static func load(
        folder: URL, network: UNet2DConfiguration, networkFile: String, override: NamedSchedule?
    ) throws -> TrainedProcess {
        func existing(_ path: String) -> String? {
            let path = folder.appendingPathComponent(path).path
            return FileManager.default.fileExists(atPath: path) ? path : nil
        }
        if let file = existing("process.json") {
            return try TrainedProcess(processFile: file, network: network, override: override)
        }
        let scheduler = existing("scheduler/scheduler_config.json") ?? existing("scheduler_config.json")
        guard scheduler != nil || override != nil else {
            throw ModelError(
                folder.path, expected: "a process.json or scheduler/scheduler_config.json", found: "neither",
                remedy: "name the noise schedule with --schedule, or add one of these files")
        }
        return try TrainedProcess(
            schedulerFile: scheduler, network: network, networkFile: networkFile, override: override)
    }

    private init(processFile file: String, network: UNet2DConfiguration, override: NamedSchedule?) throws {
        let process = try JSONFile.decode(ProcessDescription.self, path: file)
        let named = try override ?? JSONFile.value(process.schedule, key: "schedule", file: file)
        guard process.time_scale.isFinite, process.time_scale > 0 else {
            throw ModelError(file, key: "time_scale", expected: "a positive number", found: "\(process.time_scale)")
        }
        noise = NoiseProcess(
            schedule: try named.schedule(minimalRate: process.beta_min, maximalRate: process.beta_max),
            scheduleName: named.rawValue,
            prediction: try JSONFile.value(process.prediction, key: "prediction", file: file),
            timeInput: .scaled(process.time_scale))

        guard process.image.channels == network.inChannels else {
            throw ModelError(
                file, key: "image.channels", expected: "\(network.inChannels), as the network has",
                found: "\(process.image.channels)")
        }
        (height, width) = try Self.checked(process.image.height, process.image.width, file: file)
        let ends = process.image.range ?? [-1, 1]
        guard ends.count == 2, ends[0] < ends[1], ends.allSatisfy(\.isFinite) else {
            throw ModelError(file, key: "image.range", expected: "two ascending numbers", found: "\(ends)")
        }
        range = ends[0]...ends[1]

        let labels = network.labelCount
        classNames = process.classes ?? []
        nullClass = process.null_class
        guard classNames.count <= labels else {
            throw ModelError(
                file, key: "classes", expected: "at most the network's \(labels) labels",
                found: "\(classNames.count) names")
        }
        if let label = nullClass, !(0..<labels).contains(label) {
            throw ModelError(
                file, key: "null_class", expected: "one of the network's labels 0 ..< \(labels)", found: "\(label)")
        }
    }

    /// - Parameter file: nil where there is none and the override says all.
    private init(
        schedulerFile file: String?, network: UNet2DConfiguration, networkFile: String, override: NamedSchedule?
    ) throws {
        noise = try NoiseProcess(schedulerFile: file, override: override)
        guard let size = network.sampleSize else {
            throw ModelError(
                networkFile, key: "sample_size", expected: "the size of the images", found: "null",
                remedy: "add it, or a process.json")
        }
        (height, width) = try Self.checked(size.height, size.width, file: networkFile)
        range = -1...1
        classNames = []
        nullClass = nil
    }

    private static func checked(_ height: Int, _ width: Int, file: String) throws(ModelError) -> (Int, Int) {
        guard (1...4096).contains(height), (1...4096).contains(width) else {
            throw ModelError(file, key: "image size", expected: "1 … 4096 each way", found: "\(height)×\(width)")
        }
        return (height, width)
    }
}

/// The schedules that go by a name alone.
public enum NamedSchedule: String, CaseIterable, Sendable {
    case cosine, flow
    case linearVariance = "vp-linear"

    /// - Parameters:
    ///   - minimalRate, maximalRate: `β_min`, `β_max` of `vp-linear`; nil for 0.1 and 20.
    public func schedule(
        minimalRate: Double? = nil, maximalRate: Double? = nil
    ) throws(DiffusionError) -> any NoiseSchedule {
        switch self {
        case .cosine: CosineSchedule()
        case .flow: FlowSchedule()
        case .linearVariance:
            try LinearVarianceSchedule(minimalRate: minimalRate ?? 0.1, maximalRate: maximalRate ?? 20)
        }
    }
}
