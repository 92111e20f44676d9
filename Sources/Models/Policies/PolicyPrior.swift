import Diffusion
import NeuralNetwork

/// About what a policy plans for an observation, known without asking its network: the linear regression of the
/// demonstrations' actions on what was seen, x̂ = W c + b, from which the first window is drafted. A bad one costs calls and
/// never exactness.
struct PolicyPrior: Sendable {
    private let weights: [Double]
    private let bias: [Double]

    /// Reads the tensors `weight` [horizon · actions, condition] and `bias` [horizon · actions], for observations and actions as
    /// the network sees them.
    /// - Throws: `CheckpointError` or `ModelError` if one is missing, of another shape, or not finite.
    init(path: String, dimension: Int, conditionDimension: Int) throws {
        let file = try SafetensorsFile(path: path)
        func read(_ name: String, _ shape: [Int]) throws -> [Double] {
            let values = try file.floats(named: name, shape: shape)
            guard values.allSatisfy(\.isFinite) else {
                throw ModelError(path, key: name, expected: "finite numbers", found: "an infinity or NaN")
            }
            return values.map { Double($0) }
        }
        weights = try read("weight", [dimension, conditionDimension])
        bias = try read("bias", [dimension])
    }

    /// - Parameter condition: an observation as the network sees it.
    func callAsFunction(_ condition: [Float]) -> [Double] {
        bias.indices.map { row in
            condition.enumerated().reduce(bias[row]) {
                $0 + weights[row * condition.count + $1.offset] * Double($1.element)
            }
        }
    }
}
