// How long a rule takes to prepare and decide one token on one thread, medians of many decisions:
//
//   coupling-benchmark [--decisions 40]
//
// Scores are drawn as language models have them, roughly: normal with deviation 3, the draft's with 0.5 more. "Laws" is the
// time of two laws from their scores, "decision" of the rule on them: its preparation and the choice among n drafts.
import Couplings
import FiniteAlphabets
import Foundation

func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(body)
    return Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

struct Scores {
    let target, draft: [Float]

    init(vocabulary: Int, number: Int) {
        var stream = RandomSource(seed: 0).stream(sample: number, step: 0, purpose: .auxiliary)
        let target = stream.normals(vocabulary).map { 3 * $0 }
        self.target = target.map { Float($0) }
        draft = zip(target, stream.normals(vocabulary)).map { Float($0 + 0.5 * $1) }
    }
}

typealias Rule = (name: String, make: (MultiDraftProblem) throws -> any MultiDraftRule)

let rules: [Rule] = [
    ("naive", { try NaiveRule($0) }), ("SpecInfer", { try RecursiveRejectionRule($0) }),
    ("K-SEQ", { try KSequentialRule($0) }), ("importance", { try ImportanceWeightedRule($0) }),
    ("importance-truncated", { try ImportanceWeightedRule($0, method: .truncated(freeTokens: 16)) }),
    ("max-flow", { try MaxFlowTransport($0) }), ("global resolution", { try GlobalResolution($0) }),
]

func text(_ value: Double) -> String { String(format: "%.3f", value) }

func row(_ laws: String, _ rule: Rule, count: Int, vocabulary: Int, _ truncation: LogitsTruncation, _ decisions: Int) {
    var (preparing, deciding, sizes, accepted) = ([Double](), [Double](), [Double](), 0.0)
    for number in 0..<decisions {
        let scores = Scores(vocabulary: vocabulary, number: number)
        var randomness = RandomSource(seed: 1).stream(sample: number, step: 0, purpose: .verification)
        do {
            var problem: SparseProblem?
            preparing.append(
                try milliseconds {
                    let target = try truncation.law(ofLogits: scores.target)
                    let draft = try truncation.law(ofLogits: scores.draft)
                    problem = try SparseProblem(target: target, drafts: Array(repeating: draft, count: count))
                })
            guard let problem else { continue }
            sizes.append(Double(problem.tokens.count))
            let drafted = problem.problem.drawDrafts(randomness: &randomness)
            deciding.append(
                try milliseconds {
                    let rule = try rule.make(problem.problem)
                    if try rule.select(from: drafted, randomness: &randomness).isAccepted { accepted += 1 }
                })
        } catch {
            print("| \(laws) | \(vocabulary) | \(count) | \(rule.name) | | | | \(error) |")
            return
        }
    }
    print(
        "| \(laws) | \(vocabulary) | \(count) | \(rule.name) | \(Int(median(sizes))) | \(text(median(preparing))) | "
            + "\(text(median(deciding))) | \(text(accepted / Double(decisions))) |")
    fflush(nil)
}

let arguments = CommandLine.arguments
let decisions = arguments.firstIndex(of: "--decisions").flatMap { Int(arguments[$0 + 1]) } ?? 40
print("| laws | V | n | rule | tokens | laws ms | decision ms | accepted |\n|---|---|---|---|---|---|---|---|")
var top = LogitsTruncation()
top.topK = 50
var nucleus = LogitsTruncation()
nucleus.topP = 0.95
var both = top
both.topP = 0.95
for count in [2, 3, 4] {
    for rule in rules { row("top-50", rule, count: count, vocabulary: 128_000, top, decisions) }
}
for rule in rules { row("top-50, top-p 0.95", rule, count: 2, vocabulary: 128_000, both, decisions) }
for rule in rules.prefix(3) { row("top-p 0.95", rule, count: 2, vocabulary: 128_000, nucleus, decisions) }
for rule in rules.prefix(3) { row("all", rule, count: 2, vocabulary: 32_000, LogitsTruncation(), decisions) }
