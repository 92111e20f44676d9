import Platform

/// A channel W(y|x) with finitely many inputs and outputs.
public struct DiscreteChannel: Sendable {
    /// W(·|x) for each input x.
    public let rows: [FiniteDistribution]

    /// - Throws: `CouplingError`, naming the row at fault.
    public init(rows: [[Double]], name: String = "channel") throws(CouplingError) {
        guard let first = rows.first else { throw .emptyDistribution(name: name) }
        var checked: [FiniteDistribution] = []
        for (input, row) in rows.enumerated() {
            guard row.count == first.count else {
                throw .lengthsDiffer(
                    name: "\(name) row \(input)", count: row.count, otherName: "row 0", otherCount: first.count)
            }
            checked.append(try FiniteDistribution(row, name: "\(name) row \(input)"))
        }
        self.rows = checked
    }

    public static let crossovers = ParameterRange("the crossover probability", "from 0 to 1") { $0 >= 0 && $0 <= 1 }
    public static let erasures = ParameterRange("the erasure probability", "from 0 to 1") { $0 >= 0 && $0 <= 1 }

    /// The binary symmetric channel with crossover probability δ.
    public static func binarySymmetric(crossover delta: Double) throws(CouplingError) -> DiscreteChannel {
        try crossovers.check(delta)
        return try DiscreteChannel(rows: [[1 - delta, delta], [delta, 1 - delta]], name: "BSC")
    }

    /// The binary erasure channel with erasure probability e; the last output is the erasure.
    public static func binaryErasure(erasure e: Double) throws(CouplingError) -> DiscreteChannel {
        try erasures.check(e)
        return try DiscreteChannel(rows: [[1 - e, 0, e], [0, 1 - e, e]], name: "BEC")
    }

    public var inputCount: Int { rows.count }
    public var outputCount: Int { rows[0].count }

    /// The input of which a use of the channel tells most, by the algorithm of Blahut and of Arimoto (1972), to about three digits:
    /// enough to begin another search with.
    func capacityAchievingInput(iterations: Int = 1000) -> [Double] {
        var law = [Double](repeating: 1 / Double(inputCount), count: inputCount)
        for _ in 0..<iterations {
            var outputs = [Double](repeating: 0, count: outputCount)
            for (share, row) in zip(law, rows) {
                for output in outputs.indices { outputs[output] += share * row[output] }
            }
            // Each input's divergence from the outputs' law.
            let divergences = rows.map { row in
                row.probabilities.indices.reduce(0) { sum, output in
                    row[output] > 0 ? sum + row[output] * log(row[output] / outputs[output]) : sum
                }
            }
            let weights = zip(law, divergences).map { $0 * exp($1) }
            let sum = weights.reduce(0, +)
            guard sum > 0, sum.isFinite else { return law }
            law = weights.map { $0 / sum }
        }
        return law
    }

    /// A partition of the outputs within which the rows are permutations of each other and so are the columns
    /// (Gallager 1968, Section 4.5), or nil where the channel is not symmetric in this sense.
    ///
    /// Then every word sees the same likelihoods of a class of output words, and every output word the same of the
    /// inputs, so the uniform input meets (12) with equality for every word, and (16) by the quantile.
    var symmetricOutputClasses: [[Int]]? {
        // Columns with the same entries in some order belong together; if the rows then disagree no other partition
        // does better.
        var classes: [(key: [Double], outputs: [Int])] = []
        for output in 0..<outputCount {
            let key = rows.map { $0[output] }.sorted()
            if let index = classes.firstIndex(where: { nearlyEqual($0.key, key) }) {
                classes[index].outputs.append(output)
            } else {
                classes.append((key, [output]))
            }
        }
        for (_, outputs) in classes {
            let expected = outputs.map { rows[0][$0] }.sorted()
            for row in rows where !nearlyEqual(outputs.map { row[$0] }.sorted(), expected) { return nil }
        }
        return classes.map(\.outputs)
    }
}

private func nearlyEqual(_ a: [Double], _ b: [Double]) -> Bool {
    zip(a, b).allSatisfy { abs($0 - $1) <= 1e-15 }
}
