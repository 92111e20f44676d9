/// A parameter of a network and what its checkpoint holds for it.
public struct NetworkParameter: Sendable, Equatable {
    /// Its key in the checkpoint.
    public let name: String
    public let shape: [Int]
    /// Element type in the file.
    public let dtype: String
    public var count: Int { shape.reduce(1, *) }
}

extension ParameterReader {
    /// Everything that was read, in order.
    var networkParameters: [NetworkParameter] {
        parameters.map { NetworkParameter(name: $0.name, shape: $0.shape, dtype: dtype(of: $0.name) ?? "F32") }
    }
}
