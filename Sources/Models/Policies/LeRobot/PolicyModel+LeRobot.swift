import Diffusion
import NeuralNetwork

/// Policies as LeRobot saves them.
extension PolicyModel {
    init(name: String, leRobotFolder folder: String, precision: Precision = .f32) throws {
        let configuration = try LeRobotConfiguration(path: ModelFolder.configuration(of: folder))
        let cameras = configuration.inputs.count { $0.type == .visual }
        let isSeparate = configuration.hasEncoderForEachCamera
        let weights = try LeRobotWeights(
            folder: folder, encoders: cameras == 0 ? 0 : isSeparate ? cameras : 1, separate: isSeparate)
        let processors = try LeRobotProcessors(folder: folder, weights: weights.all)
        let encoders = try configuration.encoder.map { encoder in
            try weights.encoders.map { try VisionEncoder(configuration: encoder, weights: $0) }
        }
        let features = try configuration.inputs.map { input in
            PolicyFeature(
                name: input.name,
                kind: input.type == .visual
                    ? .picture(height: input.shape[1], width: input.shape[2]) : .numbers(input.shape[0]),
                scalings: try processors.scalings(input, configuration))
        }
        var chain = ChainRecipe(kind: configuration.usesDDIM ? .ddim : .ddpm)
        chain.steps = configuration.inferenceSteps
        let first = configuration.observationSteps - 1
        try self.init(
            name: name, folder: folder,
            network: ConditionalUnet1D(
                configuration: configuration.network, weights: weights.network, precision: precision),
            noise: NoiseProcess(scheduler: configuration.scheduler, source: configuration.file),
            observer: PolicyObserver(
                steps: configuration.observationSteps, features: features, encoders: encoders ?? []),
            actionScalings: processors.scalings(configuration.action, configuration), horizon: configuration.horizon,
            chunk: first..<first + configuration.actionSteps, ownChain: chain, notes: [],
            renamedObservations: processors.renamedObservations)
    }

    /// What can be made of the rows of a file: `raw.<feature>` `[N, steps, …]` becomes `normalised.<feature>` and
    /// `global_cond`; `trajectory` `[N, T, D]` with `timestep` and `global_cond` becomes `output`; and `plan` `[N, T, D]`
    /// `actions`.
    func evaluate(leRobotRows file: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        let rows = NetworkRows(file: file)
        var results: [NamedTensor] = []
        var condition: (count: Int, values: [Float])?
        let raw = observer.features.filter { file.shape(of: "raw.\($0.name)") != nil }
        if !raw.isEmpty {
            var normalised: [[[Float]]] = []
            var count: Int?
            for feature in raw {
                let name = "raw.\(feature.name)"
                let shape = try rows.shape(
                    of: name, [count.map(String.init) ?? "N"] + feature.shape(steps: observer.steps).map(String.init))
                count = shape[0]
                let size = observer.steps * feature.count
                let values = try file.floats(named: name)
                let rows = (0..<shape[0]).map { row -> [Float] in
                    let numbers = Array(values[row * size..<(row + 1) * size])
                    return feature.normalised(
                        feature.isPicture ? .pictures(numbers) : .numbers(numbers.map { Double($0) }))
                }
                results.append(NamedTensor("normalised.\(feature.name)", shape: shape, values: rows.flatMap { $0 }))
                normalised.append(rows)
            }
            if raw.count == observer.features.count, let count {
                let values = try observer.conditions(normalised: normalised, count: count, threads: threads)
                let flat = values.flatMap { $0 }
                results.append(
                    NamedTensor("global_cond", shape: [count, network.configuration.conditionDimension], values: flat))
                condition = (count, flat)
            }
        }
        let plans = ["N", "\(horizon)", "\(actionDimension)"]
        if file.shape(of: "trajectory") != nil {
            let shape = try rows.shape(of: "trajectory", ["N", "positions", "\(actionDimension)"])
            if condition == nil || file.shape(of: "global_cond") != nil {
                let expected = [shape[0], network.configuration.conditionDimension]
                condition = (shape[0], try file.floats(named: "global_cond", shape: expected))
            }
            let given = condition?.values ?? []
            results.append(
                try network.evaluate("trajectory", of: rows, shape: shape, condition: given, threads: threads))
        }
        if file.shape(of: "plan") != nil {
            let shape = try rows.shape(of: "plan", plans)
            let values = try file.floats(named: "plan").map { Double($0) }
            let size = horizon * actionDimension
            let actions = (0..<shape[0]).flatMap { row in
                self.actions(Array(values[row * size..<(row + 1) * size])).flatMap { $0.map { Float($0) } }
            }
            results.append(NamedTensor("actions", shape: shape, values: actions))
        }
        guard !results.isEmpty else {
            let names = observer.features.map { "raw.\($0.name)" }.list
            throw ModelError(
                file.path, expected: "tensors \(names); trajectory, timestep and global_cond; or plan",
                found: "none of them")
        }
        return results
    }
}
