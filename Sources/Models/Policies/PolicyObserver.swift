import Diffusion
import NeuralNetwork

/// What a policy makes of an observation: the numbers that its network is conditioned on.
public struct PolicyObserver: Sendable {
    /// `n`, the latest steps that are observed.
    public let steps: Int
    /// In the order in which the network takes them.
    public let features: [PolicyFeature]
    /// What sees the pictures: none, one for all cameras, or one for each.
    let encoders: [VisionEncoder]

    init(steps: Int, features: [PolicyFeature], encoders: [VisionEncoder] = []) {
        (self.steps, self.features, self.encoders) = (steps, features, encoders)
    }

    /// The numbers that a feature gives the network at each step.
    private func width(of feature: PolicyFeature) -> Int {
        if case .numbers(let count) = feature.kind { count } else { encoders.first?.configuration.features ?? 0 }
    }

    /// Length of the condition: for every step, oldest first, what its features give.
    public var conditionDimension: Int { steps * features.reduce(0) { $0 + width(of: $1) } }

    /// Whether pictures are among the features.
    public var sees: Bool { !encoders.isEmpty }

    /// - Throws: `DiffusionError` naming the feature that is missing, or whose values are not those of `steps` steps.
    func check(_ observation: PolicyObservation) throws(DiffusionError) {
        for feature in features {
            let expected = "\(feature.shape(steps: steps)) values of \(feature.name)"
            guard let values = observation.values[feature.name] else {
                throw DiffusionError("observation", expected: expected, found: "none")
            }
            let isPicture = if case .pictures = values { true } else { false }
            guard values.count == steps * feature.count, isPicture == feature.isPicture else {
                throw DiffusionError(
                    "observation", expected: expected,
                    found: "\(values.count) \(isPicture ? "values of pictures" : "numbers")")
            }
        }
        if let name = observation.values.keys.sorted().first(where: { name in !features.contains { $0.name == name } })
        {
            throw DiffusionError(
                "observation", expected: "values of \(features.map(\.name).list)", found: "values of \(name)")
        }
    }

    /// The conditions of some observations, `[conditionDimension]` each. Pictures of all steps and cameras that share an
    /// encoder are encoded in one call.
    /// - Throws: `DiffusionError` for an observation that does not fit, or whose numbers are not finite to the network.
    public func conditions(_ observations: [PolicyObservation], threads: Int) throws -> [[Float]] {
        for observation in observations { try check(observation) }
        // By feature, then observation.
        let normalised = try features.map { feature in
            try observations.map { observation in
                let values = observation.values[feature.name].map(feature.normalised) ?? []
                guard values.allSatisfy(\.isFinite) else {
                    throw DiffusionError(
                        "observation", expected: "numbers about as large as in the training data",
                        found: "others in \(feature.name)")
                }
                return values
            }
        }
        return try conditions(normalised: normalised, count: observations.count, threads: threads)
    }

    /// - Parameter normalised: by feature, then observation, `[steps][…]`.
    func conditions(normalised: [[[Float]]], count: Int, threads: Int) throws -> [[Float]] {
        let seen = try encoded(normalised, threads: threads)
        return (0..<count).map { observation in
            (0..<steps).flatMap { step in
                features.indices.flatMap { index -> ArraySlice<Float> in
                    let width = width(of: features[index])
                    return seen[index][observation][step * width..<(step + 1) * width]
                }
            }
        }
    }

    /// The same with pictures encoded.
    private func encoded(_ normalised: [[[Float]]], threads: Int) throws -> [[[Float]]] {
        var result = normalised
        let cameras = features.indices.filter { features[$0].isPicture }
        for (number, encoder) in encoders.enumerated() {
            let own = encoders.count == 1 ? cameras : [cameras[number]]
            let pictures = own.flatMap { normalised[$0].flatMap { $0 } }
            let count = own.reduce(0) { $0 + normalised[$1].count } * steps
            let output = try encoder(pictures: pictures, count: count, threads: threads)
            let size = steps * encoder.configuration.features
            var first = 0
            for camera in own {
                for observation in normalised[camera].indices {
                    result[camera][observation] = Array(output[first..<first + size])
                    first += size
                }
            }
        }
        return result
    }
}
