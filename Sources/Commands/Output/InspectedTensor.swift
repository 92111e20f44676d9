import Foundation
import NeuralNetwork

/// A tensor of a checkpoint, as `diffspec inspect` lists it.
struct InspectedTensor: Encodable {
    let name: String
    let shape: [Int]
    let dtype: String

    init(_ parameter: NetworkParameter) {
        (name, shape, dtype) = (parameter.name, parameter.shape, parameter.dtype)
    }

    /// One line each, their names padded to one width.
    static func lines(_ tensors: [InspectedTensor]) -> [String] {
        let width = tensors.map(\.name.count).max() ?? 0
        return tensors.map { tensor in
            let shape = tensor.shape.map(String.init).joined(separator: ", ")
            return
                "    \(tensor.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(tensor.dtype)  [\(shape)]"
        }
    }
}
