import FiniteAlphabets
import Imaging

/// IW, Figure 3: how many tokens a nucleus of probability 0.95 has.
struct EffectiveAlphabets {
    let laws: RecordedLaws
    private static let share = 0.95

    func write(to folder: String) throws -> String {
        let sizes = try (0..<laws.count).map { law in
            let (target, draft) = try laws.laws(law, topP: Self.share)
            return (target: target.tokens.count, draft: draft.tokens.count)
        }
        // Bounds that double: 1, 2, 3–4, 5–8, …
        let bounds = Array(sequence(first: 1) { $0 * 2 }.prefix { $0 < 2 * laws.vocabularySize })
        func shares(_ sizes: [Int]) -> [Double] {
            bounds.map { bound in
                Double(sizes.count { $0 <= bound && $0 > bound / 2 }) / Double(sizes.count)
            }
        }
        let (target, draft) = (shares(sizes.map(\.target)), shares(sizes.map(\.draft)))
        func boxes(_ shares: [Double], shift: Double) -> [Figure.Value] {
            shares.enumerated().flatMap { index, share -> [Figure.Value] in
                let left = Double(index) - 0.4 + shift
                return [.init(left, 0), .init(left + 0.4, share)]
            }
        }
        let names = bounds.map { $0 <= 2 ? "\($0)" : "≤ \($0)" }
        try Figure(
            "Tokens of a nucleus of 0.95", note: "\(laws.count) laws", x: .init("tokens", names: names),
            y: .init("share of laws"),
            series: [
                Figure.Series("draft", boxes(draft, shift: 0), mark: .boxes, paint: .series(0)),
                Figure.Series("target", boxes(target, shift: 0.4), mark: .boxes, paint: .series(1)),
            ]
        ).image().writePNG(to: folder + "/alphabets.png")
        let rows = zip(names, zip(draft, target)).map { name, shares in
            "| \(name) | \(number(100 * shares.0, 1)) % | \(number(100 * shares.1, 1)) % |"
        }
        return """
            ## How many tokens a nucleus has (IW, Figure 3)

            Tokens that top-p 0.95 leaves, over \(laws.count) laws:

            | tokens | draft | target |
            |---|---|---|
            \(rows.joined(separator: "\n"))

            ![Sizes of nuclei](alphabets.png)
            """
    }
}
