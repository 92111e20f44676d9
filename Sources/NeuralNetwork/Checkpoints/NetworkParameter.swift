/// A parameter of a network and what its checkpoint holds for it.
public struct NetworkParameter: Sendable, Equatable {
    /// Its key in the checkpoint.
    public let name: String
    public let shape: [Int]
    /// Element type in the file, "F32" in a dry run.
    public let dtype: String
    public var count: Int { shape.reduce(1, *) }
}
