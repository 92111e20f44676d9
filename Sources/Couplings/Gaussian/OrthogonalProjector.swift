/// `P = A†A`: the orthogonal projection on what an operator `A` can tell apart, the span of its rows.
public protocol OrthogonalProjector: Sendable {
    /// Length of a state.
    var dimension: Int { get }
    /// The rank of `A`; equal to the dimension for an invertible one.
    var rank: Int { get }
    /// `P x`, for a state of the right length.
    func project(_ state: [Double]) -> [Double]
}

/// Average pooling of an image `[channels, height, width]` over squares of `factor × factor` pixels, cut off at the
/// right and lower edge: `P` puts the mean of its square in every pixel's place.
public struct PoolingProjector: OrthogonalProjector {
    public let channels: Int
    public let height: Int
    public let width: Int
    /// `≥ 1`; 1 is the identity.
    public let factor: Int

    /// - Throws: `ProjectorError` unless all sizes are positive.
    public init(channels: Int, height: Int, width: Int, factor: Int) throws(ProjectorError) {
        guard channels > 0, height > 0, width > 0, factor > 0 else {
            throw ProjectorError(
                expected: "a positive factor and image size",
                found: "factor \(factor) for \(channels)×\(height)×\(width)")
        }
        self.channels = channels
        self.height = height
        self.width = width
        self.factor = factor
    }

    public var dimension: Int { channels * height * width }
    public var rank: Int {
        func squares(_ length: Int) -> Int { length / factor + (length.isMultiple(of: factor) ? 0 : 1) }
        return channels * squares(height) * squares(width)
    }

    public func project(_ state: [Double]) -> [Double] {
        precondition(state.count == dimension, "a state of another size")
        var result = state
        for plane in 0..<channels {
            for top in stride(from: 0, to: height, by: factor) {
                for left in stride(from: 0, to: width, by: factor) {
                    let (rows, columns) = (top..<min(top + factor, height), left..<min(left + factor, width))
                    var sum = 0.0
                    for y in rows { for x in columns { sum += state[(plane * height + y) * width + x] } }
                    let mean = sum / Double(rows.count * columns.count)
                    for y in rows { for x in columns { result[(plane * height + y) * width + x] = mean } }
                }
            }
        }
        return result
    }
}

/// The projector of an arbitrary matrix, by an orthonormal basis `Q` of its rows: `P x = Qᵀ Q x`.
public struct RowSpaceProjector: OrthogonalProjector {
    public let dimension: Int
    /// Orthonormal vectors that span the rows.
    public let basis: [[Double]]

    public var rank: Int { basis.count }

    /// Modified Gram–Schmidt with pivoting, every vector orthogonalised twice ("twice is enough", Parlett): the longest
    /// remainder comes next, until the rest is rounding, `max(rows, columns) · ulp` of the longest row. What is close to
    /// dependent is thereby told from what is, as a QR factorisation with column pivoting does.
    /// - Parameters:
    ///   - matrix: `A`, row by row, `rows · columns` numbers.
    ///   - columns: length of a state.
    /// - Throws: `ProjectorError` for a matrix that is empty, of another width, not finite, or zero.
    /// - Complexity: O(rows · columns · rank).
    public init(matrix: [Double], columns: Int) throws(ProjectorError) {
        guard columns > 0, !matrix.isEmpty, matrix.count.isMultiple(of: columns) else {
            throw ProjectorError(
                expected: "at least one row of \(columns) numbers", found: "\(matrix.count) numbers in all")
        }
        guard let largest = matrix.map(\.magnitude).max(), matrix.allSatisfy(\.isFinite) else {
            throw ProjectorError(expected: "finite numbers", found: "an infinity or NaN")
        }
        guard largest > 0 else {
            throw ProjectorError(expected: "a matrix that sees something", found: "zeros only")
        }
        // Scaled to entries up to 1, so that no square over- or underflows.
        var rows = stride(from: 0, to: matrix.count, by: columns).map { start in
            matrix[start..<start + columns].map { $0 / largest }
        }
        let tolerance = Double(max(rows.count, columns)) * Double.ulpOfOne
        var squares = rows.map(Vector.squaredNorm)
        let threshold = tolerance * tolerance * (squares.max() ?? 0)
        var basis: [[Double]] = []
        while basis.count < columns, let pivot = squares.indices.max(by: { squares[$0] < squares[$1] }),
            squares[pivot] > threshold
        {
            var row = rows.swapRemove(at: pivot)
            _ = squares.swapRemove(at: pivot)
            for vector in basis { row = Vector.combine(1, row, -Vector.dot(vector, row), vector) }
            let norm = Vector.squaredNorm(row).squareRoot()
            guard norm * norm > threshold else { continue }
            let next = row.map { $0 / norm }
            for i in rows.indices {
                rows[i] = Vector.combine(1, rows[i], -Vector.dot(next, rows[i]), next)
                squares[i] = Vector.squaredNorm(rows[i])
            }
            basis.append(next)
        }
        dimension = columns
        self.basis = basis
    }

    public func project(_ state: [Double]) -> [Double] {
        precondition(state.count == dimension, "a state of another size")
        var result = [Double](repeating: 0, count: dimension)
        for vector in basis { result = Vector.combine(1, result, Vector.dot(vector, state), vector) }
        return result
    }
}

/// An operator that cannot be projected on.
public struct ProjectorError: Error, Sendable, CustomStringConvertible {
    public let expected: String
    public let found: String
    public var description: String { "projection: expected \(expected), found \(found)" }
}

extension Array {
    /// Takes an element out, putting the last in its place.
    fileprivate mutating func swapRemove(at index: Int) -> Element {
        swapAt(index, endIndex - 1)
        return removeLast()
    }
}
