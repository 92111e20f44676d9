import Couplings
import FiniteAlphabets
import Imaging

/// CWC, Figure 2: how often two parties that do not talk draw the same token, 20,000 times for each of 32 pairs of laws.
struct MatchProbabilities {
    let laws: RecordedLaws
    fileprivate static let repetitions = 20_000
    private static let pairs = 32

    private struct Row {
        let distance, gumbel, minhash, exactGumbel, exactMinhash: Double

        var bound: Double { CommunicationFreeBound.matchProbability(totalVariation: distance) }

        /// In standard errors of the frequency.
        func deviation(of seen: Double, from exact: Double) -> Double {
            let error = (exact * (1 - exact) / Double(MatchProbabilities.repetitions)).squareRoot()
            return (seen - exact) / max(1e-9, error)
        }
    }

    func write(to folder: String) throws -> String {
        let rows = try (0..<min(Self.pairs, laws.count)).map(row)
        func series(_ name: String, _ index: Int, _ value: (Row) -> Double) -> Figure.Series {
            Figure.Series(
                name, points: rows.map { ($0.distance, value($0)) }, mark: .dots(diameter: 7), paint: .series(index))
        }
        let distances = (0...100).map { Double($0) / 100 }
        try Figure(
            "Matches without communication", note: "\(rows.count) pairs, \(Self.repetitions) draws each",
            x: .init("total variation distance"), y: .init("probability of a match"),
            series: [
                Figure.Series(
                    "with communication, 1 - D", points: distances.map { ($0, 1 - $0) }, mark: .line(.solid, nil),
                    paint: .series(2)),
                Figure.Series(
                    "without, (1 - D)/(1 + D)",
                    points: distances.map {
                        ($0, CommunicationFreeBound.matchProbability(totalVariation: $0))
                    }, mark: .line(.dashed, nil), paint: .series(3)),
                series("Gumbel", 0, \.gumbel), series("weighted MinHash", 1, \.minhash),
            ]
        ).image().writePNG(to: folder + "/matches.png")
        let deviations = rows.flatMap {
            [$0.deviation(of: $0.gumbel, from: $0.exactGumbel)] + [$0.deviation(of: $0.minhash, from: $0.exactMinhash)]
        }
        let largest = deviations.map { abs($0) }.max() ?? 0
        let least = rows.map { $0.exactGumbel - $0.bound }.min() ?? 0
        let means = (Mean(rows.map { $0.gumbel }), Mean(rows.map { $0.minhash }), Mean(rows.map { 1 - $0.distance }))
        return """
            ## Matches without communication (CWC, Figure 2)

            \(rows.count) pairs of laws, one after another of a text, \(Self.repetitions) draws of each: in the mean Gumbel matches
            \(number(means.0.value)), weighted MinHash \(number(means.1.value)), a coupling with
            communication \(number(means.2.value)). The frequencies deviate from the exact probabilities by
            \(number(largest, 1)) standard errors at most (of \(deviations.count)). Gumbel's exact probability is above the bound (1 - D)/(1 + D) everywhere, by
            \(number(least)) at least.

            ![Matches by distance](matches.png)
            """
    }

    private func row(_ law: Int) throws -> Row {
        let problem = try laws.problem(law, topK: laws.vocabularySize, drafts: 1)
        let (q, p) = (problem.target, problem.drafts[0])
        var (gumbel, minhash) = (0, 0)
        let source = RandomSource(seed: UInt64(law))
        for draw in 0..<Self.repetitions {
            var randomness = source.stream(sample: draw, step: 0, purpose: .verification)
            let uniforms = GumbelCoupling.uniforms(count: q.count, randomness: &randomness)
            if try GumbelCoupling.token(of: q, uniforms: uniforms) == GumbelCoupling.token(of: p, uniforms: uniforms) {
                gumbel += 1
            }
            let darts = source.stream(sample: draw, step: 1, purpose: .verification)
            if WeightedMinHashCoupling.token(of: q, darts: darts) == WeightedMinHashCoupling.token(of: p, darts: darts)
            {
                minhash += 1
            }
        }
        return Row(
            distance: try p.totalVariation(to: q), gumbel: Double(gumbel) / Double(Self.repetitions),
            minhash: Double(minhash) / Double(Self.repetitions),
            exactGumbel: try GumbelCoupling.matchProbability(draft: p, target: q),
            exactMinhash: try WeightedMinHashCoupling.matchProbability(draft: p, target: q))
    }
}
