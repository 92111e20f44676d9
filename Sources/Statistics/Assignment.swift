/// The linear assignment problem, by shortest augmenting paths (Jonker & Volgenant, "A shortest augmenting path
/// algorithm for dense and sparse linear assignment problems", Computing 38, 1987; in the form of Crouse, "On
/// implementing 2D rectangular assignment algorithms", IEEE TAES 52, 2016).
public enum Assignment {
    /// The permutation `column[row]` of least total cost.
    /// - Parameters:
    ///   - costs: `[size, size]`, row by row, finite.
    ///   - size: how many are assigned.
    /// - Complexity: O(n³) time at worst, O(n) memory besides the costs.
    public static func minimal(costs: [Double], size: Int) -> [Int] {
        precondition(costs.count == size * size, "a square matrix")
        var (rowPrice, columnPrice) = ([Double](repeating: 0, count: size), [Double](repeating: 0, count: size))
        var (columnOfRow, rowOfColumn) = ([Int](repeating: -1, count: size), [Int](repeating: -1, count: size))
        var predecessor = [Int](repeating: -1, count: size)
        var distance = [Double](repeating: 0, count: size)
        var remaining = [Int](repeating: 0, count: size)

        for root in 0..<size {
            // Dijkstra from the root over reduced costs, until a free column is reached.
            for j in 0..<size { (distance[j], remaining[j]) = (.infinity, size - 1 - j) }
            var (scannedRows, scannedColumns): ([Int], [Int]) = ([root], [])
            var (row, open, length, sink) = (root, size, 0.0, -1)
            while sink < 0 {
                var (nearest, nearestDistance) = (0, Double.infinity)
                costs.withUnsafeBufferPointer { costs in
                    let base = row * size
                    let offset = length - rowPrice[row]
                    for position in 0..<open {
                        let j = remaining[position]
                        let reduced = offset + costs[base + j] - columnPrice[j]
                        if reduced < distance[j] { (distance[j], predecessor[j]) = (reduced, row) }
                        // A free column wins a tie: the path ends there.
                        if distance[j] < nearestDistance || distance[j] == nearestDistance && rowOfColumn[j] < 0 {
                            (nearest, nearestDistance) = (position, distance[j])
                        }
                    }
                }
                length = nearestDistance
                let column = remaining[nearest]
                open -= 1
                remaining[nearest] = remaining[open]
                if rowOfColumn[column] < 0 {
                    sink = column
                } else {
                    row = rowOfColumn[column]
                    scannedRows.append(row)
                    scannedColumns.append(column)
                }
            }
            rowPrice[root] += length
            for i in scannedRows.dropFirst() { rowPrice[i] += length - distance[columnOfRow[i]] }
            for j in scannedColumns { columnPrice[j] -= length - distance[j] }
            // Turn the path around.
            var column = sink
            while true {
                let i = predecessor[column]
                rowOfColumn[column] = i
                (columnOfRow[i], column) = (column, columnOfRow[i])
                if i == root { break }
            }
        }
        return columnOfRow
    }
}
