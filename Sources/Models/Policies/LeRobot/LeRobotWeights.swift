import NeuralNetwork

/// `model.safetensors` of a LeRobot policy, taken apart into the weights of its networks, under the names that ours have.
struct LeRobotWeights {
    let all: NetworkWeights
    let network: NetworkWeights
    /// One for all cameras, or one for each.
    let encoders: [NetworkWeights]

    /// - Parameters:
    ///   - folder: of the policy.
    ///   - encoders: how many there must be.
    ///   - separate: whether their number stands in the names.
    /// - Throws: `CheckpointError` if the file cannot be read; `ModelError` for tensors that belong to nothing here.
    init(folder: String, encoders count: Int, separate: Bool) throws {
        let all = try NetworkWeights(folder: folder, name: "model")
        self.all = all
        network = all.renamed(Self.networkName)
        encoders = (0..<count).map { number in
            let prefix = Self.encoderPrefix + (separate ? "\(number)." : "")
            return all.renamed { Self.stripped($0, of: prefix) }
        }
        let strays = all.tensorNames.filter { name in
            Self.networkName(name) == nil && !LeRobotProcessors.isStatistic(name) && !Self.isCounter(name)
                && !(count > 0 && name.hasPrefix(Self.encoderPrefix))
        }
        if let stray = strays.min() {
            throw ModelError(
                all.path, key: stray,
                expected: "the tensors of a diffusion policy: diffusion.unet.…, and "
                    + "diffusion.rgb_encoder.… where config.json has pictures", found: "\(strays.count) others",
                remedy: "the weights belong to another config.json")
        }
    }

    /// The parameters that LeRobot has for a policy, by its names.
    static func parameters(of configuration: LeRobotConfiguration) throws -> [(name: String, shape: [Int])] {
        let network = try ConditionalUnet1D.parameters(of: configuration.network).map {
            (networkPrefix + leRobotName($0.name), $0.shape)
        }
        guard let encoder = configuration.encoder else { return network }
        let cameras = configuration.inputs.count { $0.type == .visual }
        let own = try VisionEncoder.parameters(of: encoder)
        let prefixes = configuration.hasEncoderForEachCamera ? (0..<cameras).map { "\($0)." } : [""]
        return network + prefixes.flatMap { prefix in own.map { (encoderPrefix + prefix + $0.name, $0.shape) } }
    }

    private static let networkPrefix = "diffusion.unet."
    private static let encoderPrefix = "diffusion.rgb_encoder."

    /// Where PyTorch counts the batches that it has seen, which no inference needs.
    private static func isCounter(_ name: String) -> Bool { name.hasSuffix(".num_batches_tracked") }

    private static func stripped(_ name: String, of prefix: String) -> String? {
        guard name.hasPrefix(prefix), !isCounter(name) else { return nil }
        let rest = String(name.dropFirst(prefix.count))
        // What torch.compile puts before the names of what it has compiled.
        let compiled = "_orig_mod."
        return rest.hasPrefix(compiled) ? String(rest.dropFirst(compiled.count)) : rest
    }

    /// The name that `ConditionalUnet1D` has for a tensor of `diffusion.unet`.
    private static func networkName(_ name: String) -> String? {
        guard let name = stripped(name, of: networkPrefix) else { return nil }
        var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if let index = parts.firstIndex(where: { $0 == "conv1" || $0 == "conv2" }) {
            parts.replaceSubrange(index...index, with: ["blocks", parts[index] == "conv1" ? "0" : "1"])
        } else if parts.count == 4, parts[0] == "down_modules" || parts[0] == "up_modules", parts[2] == "2" {
            parts.insert("conv", at: 3)
        }
        return parts.joined(separator: ".")
    }

    /// And back.
    private static func leRobotName(_ name: String) -> String {
        var parts = name.split(separator: ".").map(String.init)
        if let index = parts.firstIndex(of: "blocks") {
            parts.replaceSubrange(index...index + 1, with: [parts[index + 1] == "0" ? "conv1" : "conv2"])
        } else if parts.count == 5, parts[3] == "conv" {
            parts.remove(at: 3)
        }
        return parts.joined(separator: ".")
    }
}

/// The names and shapes of the tensors that LeRobot saves for a policy.
/// - Parameter file: its `config.json`.
package func leRobotParameters(configurationFile file: String) throws -> [(name: String, shape: [Int])] {
    try LeRobotWeights.parameters(of: LeRobotConfiguration(path: file))
}
