/// The rows of a call, and what conditions them.
public struct NetworkInput<Element: Sendable, Shape: Sendable, Conditioning: Sendable>: Sendable {
    /// The rows, one after the other: `[rows]` and then the network's ``Network/inputDimensions(_:)``.
    public var sample: [Element]
    /// The number of rows, any from 0.
    public var rows: Int
    public var shape: Shape
    public var conditioning: Conditioning

    public init(_ sample: [Element], rows: Int, shape: Shape, conditioning: Conditioning) {
        self.sample = sample
        self.rows = rows
        self.shape = shape
        self.conditioning = conditioning
    }
}

/// An input that a network cannot take.
public struct NetworkInputError: Error, CustomStringConvertible, Sendable, Equatable {
    /// One line: which argument, what was expected, what was found.
    public let description: String
    public init(_ description: String) { self.description = description }
}

extension NetworkInputError {
    /// Refuses another number of `things` than one for every row.
    static func check(_ found: Int, _ things: String, rows: Int) throws(NetworkInputError) {
        guard found == rows else { throw NetworkInputError("\(found) \(things) for \(rows) rows") }
    }

    /// Refuses labels that are not one for every row, each from 0 ..< `count`.
    static func check(labels: [Int], count: Int, rows: Int) throws(NetworkInputError) {
        try check(labels.count, "class labels", rows: rows)
        if let label = labels.first(where: { !(0..<count).contains($0) }) {
            throw NetworkInputError(
                "class label \(label) is out of range; this network has the classes 0 to \(count - 1)")
        }
    }

    /// Refuses an array that is not `[rows]` and then `dimensions`.
    /// - Parameter name: with its verb, for example "sample has".
    static func check(
        _ found: Int, _ name: String, rows: Int, dimensions: [Int]
    ) throws(NetworkInputError) {
        var (expected, overflows) = (max(0, rows), false)
        for dimension in dimensions {
            let (product, overflow) = expected.multipliedReportingOverflow(by: dimension)
            (expected, overflows) = (product, overflows || overflow)
        }
        guard rows >= 0, !overflows, found == expected else {
            throw NetworkInputError("\(name) \(found) elements; expected \([rows] + dimensions)")
        }
    }
}
