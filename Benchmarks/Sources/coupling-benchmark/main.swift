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

/// All rules but the linear program, which checks the others, and `maximal`, which is `naive`.
func rules(_ scheme: DraftScheme) -> [CouplingRule] {
    CouplingRule.allCases.filter {
        $0.choosesAmongDrafts && $0.accepts(scheme) && $0 != .linearProgram && $0 != .maximal
    }
}

let parameters = CouplingParameters(freeTokens: 16)

func text(_ value: Double) -> String { String(format: "%.3f", value) }

func row(
    _ laws: String, _ rule: CouplingRule, count: Int, vocabulary: Int, _ truncation: LogitsTruncation,
    scheme: DraftScheme = .independent
) {
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
                    problem = try SparseProblem(
                        target: target, drafts: Array(repeating: draft, count: count), scheme: scheme)
                })
            guard let problem else { continue }
            sizes.append(Double(problem.tokens.count))
            let drafted = problem.problem.drawDrafts(randomness: &randomness)
            deciding.append(
                try milliseconds {
                    let made = try parameters.multiDraftRule(rule, problem.problem)
                    if try made?.select(from: drafted, randomness: &randomness).isAccepted == true { accepted += 1 }
                })
        } catch {
            print("| \(laws) | \(vocabulary) | \(count) | \(rule.rawValue) | | | | \(error) |")
            return
        }
    }
    print(
        "| \(laws) | \(vocabulary) | \(count) | \(rule.rawValue) | \(Int(median(sizes))) | \(text(median(preparing))) | "
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
    for rule in rules(.independent) { row("top-50", rule, count: count, vocabulary: 128_000, top) }
}
for scheme in [DraftScheme.withoutReplacement, .greedy] {
    // What enumerates the tuples of drafts takes seconds a token with three of them.
    for rule in rules(scheme) where scheme == .greedy || rule == .naive || rule == .specinfer {
        row("top-50, \(scheme.rawValue)", rule, count: 3, vocabulary: 128_000, top, scheme: scheme)
    }
}
for rule in rules(.independent) { row("top-50, top-p 0.95", rule, count: 2, vocabulary: 128_000, both) }
let quick = [CouplingRule.naive, .specinfer, .kseq]
for rule in quick { row("top-p 0.95", rule, count: 2, vocabulary: 128_000, nucleus) }
for rule in quick { row("all", rule, count: 2, vocabulary: 32_000, LogitsTruncation()) }
