import FiniteAlphabets
import Imaging

/// IW, Figure 2: the acceptance of two drafts from the uniform law on three tokens, by the target's second probability.
struct ThreeTokens {
    func write(to folder: String) throws -> String {
        let p = try FiniteDistribution(uniformOver: 3)
        var files: [String] = []
        for (file, first) in [("three-tokens-1.png", 1.0 / 3), ("three-tokens-2.png", 1.0 / 6)] {
            let points = try (0...60).map { step -> (q: Double, optimal: Double, kseq: Double, specinfer: Double) in
                let second = (1 - first) * Double(step) / 60
                let q = try FiniteDistribution([first, second, max(0, 1 - first - second)])
                let problem = try MultiDraftProblem(target: q, draft: p, count: 2)
                return (
                    second, try ImportanceWeightedRule(problem).acceptance(), try KSequentialRule(problem).acceptance(),
                    try RecursiveRejectionRule(problem).acceptance()
                )
            }
            try Figure(
                "Two drafts, p uniform on three tokens, q₁ = \(first == 1.0 / 3 ? "1/3" : "1/6")", x: .init("q₂"),
                y: .init("acceptance"),
                series: [
                    Figure.Series(
                        "optimal", points: points.map { ($0.q, $0.optimal) }, mark: .line(.solid, nil),
                        paint: .series(0)),
                    Figure.Series(
                        "SpecTr (K-SEQ)", points: points.map { ($0.q, $0.kseq) }, mark: .line(.dashed, nil),
                        paint: .series(1)),
                    Figure.Series(
                        "SpecInfer", points: points.map { ($0.q, $0.specinfer) }, mark: .line(.dotted, nil),
                        paint: .series(2)),
                ]
            ).image().writePNG(to: folder + "/" + file)
            files.append("![q₁ = \(first == 1.0 / 3 ? "1/3" : "1/6")](\(file))")
        }
        return "## Two drafts on three tokens (IW, Figure 2)\n\n" + files.joined(separator: "\n")
    }
}
