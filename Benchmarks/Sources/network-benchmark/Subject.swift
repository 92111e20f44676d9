import Foundation
import NeuralNetwork

/// A network of either kind with inputs that it makes for itself.
struct Subject {
    let parameterCount: Int
    /// Floating-point operations a row.
    let operations: Double
    /// One call with so many rows.
    let call: (_ batch: Int) throws -> Void
    let profile: (_ batch: Int) throws -> [LayerTime]

    init(folder: String, threads: Int) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/config.json"))
        let configuration = try JSON(parsing: data)
        if configuration["_class_name"]?.string == ConditionalUnet1DConfiguration.className {
            self.init(try ConditionalUnet1D(folder: folder), threads: threads)
        } else {
            self.init(try UNet2D(folder: folder), threads: threads)
        }
    }

    private static func input(_ count: Int) -> [Float] { (0..<count).map { Float(($0 * 7919) % 2003) / 1000 - 1 } }

    private init(_ network: UNet2D, threads: Int) {
        let configuration = network.configuration
        let size = configuration.sampleSize ?? .init(height: 32, width: 32)
        func input(_ batch: Int) -> [Float] { Self.input(batch * configuration.inChannels * size.height * size.width) }
        func timesteps(_ batch: Int) -> [Float] { (0..<batch).map { Float($0 * 37 % 1000) } }
        func labels(_ batch: Int) -> [Int]? {
            if case .table(let count) = configuration.classEmbedding { (0..<batch).map { $0 % count } } else { nil }
        }
        parameterCount = network.parameterCount
        operations = network.floatingPointOperations(height: size.height, width: size.width)
        call = { batch in
            _ = try network(
                sample: input(batch), batch: batch, height: size.height, width: size.width, timesteps: timesteps(batch),
                classLabels: labels(batch), threads: threads)
        }
        profile = { batch in
            try network.profile(
                sample: input(batch), batch: batch, height: size.height, width: size.width, timesteps: timesteps(batch),
                classLabels: labels(batch), threads: threads)
        }
    }

    private init(_ network: ConditionalUnet1D, threads: Int) {
        let configuration = network.configuration
        let positions = configuration.horizon ?? 16
        func input(_ batch: Int) -> [Float] { Self.input(batch * positions * configuration.inputDimension) }
        func timesteps(_ batch: Int) -> [Float] { (0..<batch).map { Float($0 * 37 % 100) } }
        func condition(_ batch: Int) -> [Float] { Self.input(batch * configuration.conditionDimension) }
        parameterCount = network.parameterCount
        operations = network.floatingPointOperations(positions: positions)
        call = { batch in
            _ = try network(
                sample: input(batch), batch: batch, positions: positions, timesteps: timesteps(batch),
                condition: condition(batch), threads: threads)
        }
        profile = { batch in
            try network.profile(
                sample: input(batch), batch: batch, positions: positions, timesteps: timesteps(batch),
                condition: condition(batch), threads: threads)
        }
    }
}
