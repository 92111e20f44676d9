/// What a parameter may be. Each range is declared once, beside what has the parameter; whoever takes the number from a
/// user can ask it early, and the errors say the same.
public struct ParameterRange: Sendable {
    /// What errors call the parameter.
    public let name: String
    /// The range in words, after "must be".
    public let expected: String
    private let holds: @Sendable (Double) -> Bool

    public init(_ name: String, _ expected: String, where holds: @escaping @Sendable (Double) -> Bool) {
        (self.name, self.expected, self.holds) = (name, expected, holds)
    }

    /// Whole numbers between two bounds.
    public init(_ name: String, from least: Int, to most: Int) {
        self.init(name, "from \(least) to \(most)") { $0 >= Double(least) && $0 <= Double(most) }
    }

    public func contains(_ value: Double) -> Bool { holds(value) }

    /// - Throws: `CouplingError.parameterOutOfRange`.
    public func check(_ value: Double) throws(CouplingError) {
        guard holds(value) else { throw .parameterOutOfRange(name: name, value: value, expected: expected) }
    }
}
