import FiniteAlphabets
import Imaging

/// GR, Figures 1 to 4: the optimal acceptance α* by the number of drafts n, the top k they are drawn from, the target's temperature and
/// the scheme of drafting, means over all laws.
struct Acceptance {
    let laws: RecordedLaws

    private func mean(_ n: Int, topK: Int, temperature: Double = 1, scheme: DraftScheme = .independent) throws -> Mean {
        Mean(
            try (0..<laws.count).map { law in
                try OptimalAcceptance(
                    laws.problem(law, temperature: temperature, topK: topK, drafts: n, scheme: scheme)
                ).value
            })
    }

    /// k = 10, 100, … and the whole vocabulary.
    var topKs: [Int] {
        Array(sequence(first: 10) { $0 * 10 }.prefix { $0 < laws.vocabularySize }) + [laws.vocabularySize]
    }

    func name(_ topK: Int) -> String { topK == laws.vocabularySize ? "all tokens" : "top \(topK)" }

    private func figure(_ title: String, _ series: [(String, [(Int, Mean)])]) -> Figure {
        Figure(
            title, note: "\(laws.count) laws, bars: standard errors", x: .init("drafts n"),
            y: .init("optimal acceptance"),
            series: series.enumerated().map { index, series in
                Figure.Series(
                    series.0, series.1.map { .init(Double($0.0), $0.1.value, error: $0.1.error) },
                    paint: .series(index))
            })
    }

    private func table(_ head: String, _ counts: [Int], _ rows: [(String, [(Int, Mean)])]) -> String {
        let titles = counts.map { "n = \($0)" }.joined(separator: " | ")
        let lines = rows.map { name, means in
            "| \(name) | " + means.map { "\(number($0.1.value)) ± \(number($0.1.error))" }.joined(separator: " | ")
                + " |"
        }
        return (["| \(head) | \(titles) |", "|---|" + String(repeating: "---|", count: counts.count)] + lines)
            .joined(separator: "\n")
    }

    func write(to folder: String) throws -> String {
        let counts = Array(1...10)
        let byTopK = try topKs.map { k in (name(k), try counts.map { ($0, try mean($0, topK: k)) }) }
        try figure("α* of n independent drafts", byTopK).image().writePNG(to: folder + "/acceptance.png")

        let few = [1, 2, 3, 4, 5]
        var bySchemes: [(String, [(Int, Mean)])] = []
        for k in topKs {
            for scheme in [DraftScheme.independent, .greedy] {
                bySchemes.append(
                    ("\(name(k)), \(scheme.rawValue)", try few.map { ($0, try mean($0, topK: k, scheme: scheme)) }))
            }
        }
        bySchemes.append(
            (
                "top 10, \(DraftScheme.withoutReplacement.rawValue)",
                try few.prefix(4).map { ($0, try mean($0, topK: 10, scheme: .withoutReplacement)) }
            ))
        // Of the tops in between the lines lie in between.
        let shown = bySchemes.filter { $0.0.hasPrefix("top 10,") || $0.0.hasPrefix("all") }
        try figure("Independent, greedy and distinct drafts", shown).image()
            .writePNG(to: folder + "/schemes.png")

        var byTemperature: [(String, [(Int, Mean)])] = []
        for temperature in [0.2, 0.4, 0.6, 0.8] {
            for k in topKs.prefix(2) {
                byTemperature.append(
                    (
                        "T \(number(temperature, 1)), \(name(k))",
                        try few.map { ($0, try mean($0, topK: k, temperature: temperature)) }
                    ))
            }
        }
        return """
            ## How much n drafts can accept (GR, Figures 1 to 4)

            α* of n independent drafts from the draft's top k, target at temperature 1:

            \(table("drafts from", counts, byTopK))

            ![α* by n and k](acceptance.png)

            Independent drafts beside greedy ones (the n - 1 likeliest tokens, and one of the others) and drafts without replacement:

            \(table("drafts from", few, bySchemes.filter { $0.1.count == few.count }))
            \(bySchemes.filter { $0.1.count != few.count }.map { name, means in
                "| \(name) | " + means.map { "\(number($0.1.value)) ± \(number($0.1.error))" }.joined(separator: " | ") + " | |"
            }.joined(separator: "\n"))

            ![By scheme](schemes.png)

            At lower temperatures of the target:

            \(table("temperature, drafts from", few, byTemperature))
            """
    }
}
