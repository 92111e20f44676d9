import Diffusion
import Platform

/// The diffusion process that a network was trained for, and what its samples show.
public struct ImageProcess: Sendable {
    public let noise: NoiseProcess
    public let picture: PictureShape
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

    /// For a network of one's own.
    public init(
        noise: NoiseProcess, picture: PictureShape, range: ClosedRange<Double> = -1...1, classNames: [String] = [],
        nullClass: Int? = nil
    ) {
        (self.noise, self.picture, self.range) = (noise, picture, range)
        (self.classNames, self.nullClass) = (classNames, nullClass)
    }

    /// Reads `process.json` or `scheduler/scheduler_config.json` of a model folder.
    /// - Parameter override: takes the place of the folder's schedule, or of one that it lacks.
    static func load(
        folder: URL, network: any ImageNetwork, networkFile: String, override: NamedSchedule?
    ) throws -> ImageProcess {
        if let file = ModelFolder.existing("process.json", in: folder.path) {
            return try ImageProcess(processFile: file, network: network, override: override)
        }
        let scheduler = ModelFolder.scheduler(in: folder.path)
        guard scheduler != nil || override != nil else {
            throw ModelError(
                folder.path, expected: "a process.json or scheduler/scheduler_config.json", found: "neither",
                remedy: "name the noise schedule with --schedule, or add one of these files")
        }
        return try ImageProcess(
            schedulerFile: scheduler, network: network, networkFile: networkFile, override: override)
    }

    private init(processFile file: String, network: any ImageNetwork, override: NamedSchedule?) throws {
        let process = try JSONFile.decode(ProcessDescription.self, path: file)
        let named = try override ?? JSONFile.value(process.schedule, key: "schedule", file: file)
        guard process.time_scale.isFinite, process.time_scale > 0 else {
            throw ModelError(file, key: "time_scale", expected: "a positive number", found: "\(process.time_scale)")
        }
        let prediction: PredictionKind = try JSONFile.value(process.prediction, key: "prediction", file: file)
        let schedule = try named.schedule(
            minimalRate: process.beta_min, maximalRate: process.beta_max, maximalNoise: process.sigma_max)
        var (scaling, timeInput) = (NetworkScaling?.none, TimeInput.scaled(process.time_scale))
        if let deviation = process.sigma_data {
            guard deviation > 0, deviation.isFinite else {
                throw ModelError(file, key: "sigma_data", expected: "a positive number", found: "\(deviation)")
            }
            guard let exploding = schedule as? VarianceExplodingSchedule,
                NetworkScaling.predictions.contains(prediction)
            else {
                throw ModelError(
                    file, key: "sigma_data",
                    expected: "schedule \"ve\" and prediction \"epsilon\" or \"v_prediction\" beside it",
                    found: "\"\(named.rawValue)\" and \"\(prediction.rawValue)\"")
            }
            scaling = NetworkScaling(dataDeviation: deviation)
            timeInput = .quarterLogarithm(scale: exploding.maximalNoise)
        }
        noise = NoiseProcess(
            schedule: schedule, scheduleName: named.rawValue, prediction: prediction, timeInput: timeInput,
            scaling: scaling,
            isOverridden: override != nil)

        guard process.image.channels == network.inChannels else {
            throw ModelError(
                file, key: "image.channels", expected: "\(network.inChannels), as the network has",
                found: "\(process.image.channels)")
        }
        picture = try Self.checked(network.inChannels, process.image.height, process.image.width, file: file)
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
        schedulerFile file: String?, network: any ImageNetwork, networkFile: String, override: NamedSchedule?
    ) throws {
        noise =
            if let file {
                try NoiseProcess(schedulerFile: file, override: override, isPicture: true)
            } else if let override {
                try NoiseProcess(override)
            } else {
                throw ModelError(networkFile, expected: "a scheduler_config.json beside it", found: "none")
            }
        guard let size = network.trainedSize else {
            throw ModelError(
                networkFile, key: "sample_size", expected: "the size of the images", found: "null",
                remedy: "add it, or a process.json")
        }
        picture = try Self.checked(network.inChannels, size.height, size.width, file: networkFile)
        range = -1...1
        classNames = []
        nullClass = nil
    }

    /// The process of a pipeline of latents: as its scheduler says it, or our own `process.json`, whose `image` is the latent.
    /// - Parameter texts: how many the network is asked for; behind them it has one for "no text", if there are any.
    init(
        pipeline folder: String, network: any ImageNetwork, networkFile: String, override: NamedSchedule?, texts: Int
    ) throws {
        let process = try ImageProcess.load(
            folder: URL(fileURLWithPath: folder), network: network, networkFile: networkFile, override: override)
        self.init(
            noise: process.noise, picture: process.picture, classNames: texts == 0 ? process.classNames : [],
            nullClass: texts == 0 ? process.nullClass : texts)
    }

    private static func checked(
        _ channels: Int, _ height: Int, _ width: Int, file: String
    ) throws(ModelError) -> PictureShape {
        guard (1...4096).contains(height), (1...4096).contains(width) else {
            throw ModelError(file, key: "image size", expected: "1 … 4096 each way", found: "\(height)×\(width)")
        }
        return PictureShape(channels: channels, height: height, width: width)
    }
}
