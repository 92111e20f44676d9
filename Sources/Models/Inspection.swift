import NeuralNetwork
import Statistics

/// What is in a model folder, for people and, by its `Encodable` keys, for programs.
public protocol Inspection: Encodable, Sendable {
    var text: String { get }
}

/// A tensor of a checkpoint, as inspections list it.
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
            return "    \(tensor.name.padded(to: width))  \(tensor.dtype)  [\(shape)]"
        }
    }
}

/// The text of an inspection: a title, and lines of a name and a value each.
struct InspectionText {
    private(set) var lines: [String]

    init(title: String) { lines = [title] }

    mutating func line(_ name: String, _ value: String) { lines.append("  " + name.padded(to: 13) + value) }

    mutating func tensors(_ tensors: [InspectedTensor]) {
        line("tensors", "\(tensors.count), each with its shape, all numbers finite:")
        lines += InspectedTensor.lines(tensors)
    }

    var text: String { lines.joined(separator: "\n") }
}

extension String {
    /// With spaces behind it.
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Sequence<String> {
    var list: String { joined(separator: ", ") }
}

extension Result {
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
