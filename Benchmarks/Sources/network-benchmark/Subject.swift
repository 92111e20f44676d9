import Foundation
import NeuralNetwork

/// A network of any kind with inputs that it makes for itself.
struct Subject {
    let parameterCount: Int
    /// Floating-point operations a row.
    let operations: Double
    /// One call with so many rows.
    let call: (_ batch: Int) throws -> [Float]
    let profile: (_ batch: Int) throws -> [LayerTime]

    init(folder: String, threads: Int, precision: Precision) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/config.json"))
        switch try JSON(parsing: data)["_class_name"]?.string {
        case ConditionalUnet1DConfiguration.className:
            let network = try ConditionalUnet1D(folder: folder, precision: precision)
            self.init(network, shape: .init(positions: network.configuration.horizon ?? 16), threads) { rows in
                .init(
                    timesteps: (0..<rows).map { Float($0 * 37 % 100) },
                    condition: Self.values(rows * network.configuration.conditionDimension))
            }
        case VelocityMLPConfiguration.className:
            let network = try VelocityMLP(folder: folder, precision: precision)
            self.init(network, shape: (), threads) { rows in
                .init(
                    timesteps: (0..<rows).map { Float($0 * 37 % 1000) },
                    classLabels: (0..<rows).map { $0 % network.configuration.labelCount })
            }
        case UNet2DConditionConfiguration.className:
            let network = try UNet2DCondition(folder: folder, precision: precision)
            let configuration = network.configuration
            let tokens = 77
            self.init(network, shape: configuration.sampleSize ?? .init(height: 64, width: 64), threads) { rows in
                .init(
                    timesteps: (0..<rows).map { Float($0 * 37 % 1000) },
                    context: Self.values(rows * tokens * configuration.inputContextChannels), tokens: tokens)
            }
        case AutoencoderKLConfiguration.className:
            let network = try AutoencoderKL(folder: folder)
            let side = 64
            self.init(network, shape: .latent(height: side, width: side), threads) { _ in }
        default:
            let network = try UNet2D(folder: folder, precision: precision)
            let configuration = network.configuration
            self.init(network, shape: configuration.sampleSize ?? .init(height: 32, width: 32), threads) { rows in
                var classes = UNet2D.Classes.none
                if case .table(let count) = configuration.classEmbedding {
                    classes = .labels((0..<rows).map { $0 % count })
                }
                return .init(timesteps: (0..<rows).map { Float($0 * 37 % 1000) }, classes: classes)
            }
        }
    }

    private init<Subject: Network>(
        _ network: Subject, shape: Subject.Shape, _ threads: Int,
        conditioning: @escaping (_ rows: Int) -> Subject.Conditioning
    ) where Subject.Element == Float {
        func input(_ rows: Int) -> Subject.Input {
            let size = network.inputDimensions(shape).reduce(1, *)
            return .init(Self.values(rows * size), rows: rows, shape: shape, conditioning: conditioning(rows))
        }
        parameterCount = network.parameterCount
        operations = network.floatingPointOperations(shape)
        call = { try network(input($0), threads: threads) }
        profile = { try network.profile(input($0), threads: threads) }
    }

    private static func values(_ count: Int) -> [Float] { (0..<count).map { Float(($0 * 7919) % 2003) / 1000 - 1 } }
}
