import ArgumentParser
import Couplings
import Foundation

/// `diffspec couple`: one coupling of a target with its drafts, its exact acceptance and law, and samples of it.
struct CoupleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "couple",
        abstract: "Couple a finite target distribution with one or several drafts.",
        discussion: """
            The files hold a JSON array of probabilities. The rules maximal, gumbel, minhash, low-communication and naive look at the \
            first draft alone; the optimum reported is always that of all drafts.
            """)

    @Option(help: "File with the target's probabilities, q.")
    var target: String
    @Option(help: "File with the draft's probabilities, p.")
    var draft: String
    @Option(help: "Number of drafts, drawn independently from p.")
    var drafts = 1
    @Option(help: "The coupling: \(CouplingRule.allCases.map(\.rawValue).joined(separator: ", ")).")
    var rule: CouplingRule
    @Option(help: "Draw so many samples and report their L1 distance from the target.")
    var samples = 0
    @Option(help: "Seed of the samples.")
    var seed: UInt64 = 0
    @Option(help: "τ of global-resolution: its output is within 15τ of the target in L1.")
    var tolerance = 1e-4
    @Option(help: "ε of low-communication: what its match probability may lose.")
    var precision = 1e-3
    @Option(help: "s of importance-truncated: tokens whose pairs are optimised.")
    var freeTokens = 64
    @Flag(help: "Print a JSON object.")
    var json = false

    /// What the command finds out.
    struct Report: Encodable {
        let rule: CouplingRule
        let drafts: Int
        /// P(the output is a draft the rule took); for gumbel, minhash and low-communication P(both tokens are equal).
        var acceptance = 0.0
        /// α* of all drafts.
        let optimum: Double
        /// Whether the output's law is the target's, but for rounding; global resolution may be within its tolerance only.
        var exact = true
        /// Nil where the vocabulary is too large to enumerate.
        var outputLawL1: Double?
        var empiricalL1: Double?
        /// Building the rule, without samples and exact laws.
        var seconds = 0.0
        /// Bits and rounds in the mean, for low-communication.
        var expectedBits: Double?
        var expectedRounds: Double?
        /// Why global resolution fell back to K-SEQ, if it did.
        var earlyTermination: String?

        enum CodingKeys: String, CodingKey {
            case rule, drafts, acceptance, optimum, exact, seconds
            case outputLawL1 = "output_law_l1"
            case empiricalL1 = "empirical_l1"
            case expectedBits = "expected_bits"
            case expectedRounds = "expected_rounds"
            case earlyTermination = "early_termination"
        }
    }

    func validate() throws {
        guard samples >= 0 else { throw ValidationError("--samples is \(samples); expected at least 0") }
        guard (1...4096).contains(drafts) else { throw ValidationError("--drafts is \(drafts); expected 1 to 4096") }
        guard tolerance > 0, tolerance < 1 else {
            throw ValidationError("--tolerance is \(tolerance); expected 0 < τ < 1")
        }
        guard precision > 0, precision <= 1 else {
            throw ValidationError("--precision is \(precision); expected 0 < ε ≤ 1")
        }
        guard freeTokens >= 0 else { throw ValidationError("--free-tokens is \(freeTokens); expected at least 0") }
    }

    func run() throws {
        let q = try JSONFiles.distribution(target)
        let p = try JSONFiles.distribution(draft)
        try p.requireSameVocabulary(as: q, name: draft, otherName: target)
        let problem = try MultiDraftProblem(target: q, draft: p, count: drafts)
        var report = Report(rule: rule, drafts: drafts, optimum: try OptimalAcceptance(problem).value)
        let clock = ContinuousClock()
        var made: (any MultiDraftRule)?
        report.seconds = try seconds(
            clock.measure {
                made = try rule.multiDraftRule(problem, .init(tolerance: tolerance, freeTokens: freeTokens))
            })
        if let made {
            try describe(made, &report)
        } else {
            try describeTwoParties(p, q, clock, &report)
        }
        print(json ? try JSONFiles.line(report) : text(report))
    }

    private func describe(_ made: any MultiDraftRule, _ report: inout Report) throws {
        report.acceptance = try made.acceptance()
        report.exact = made.isExact
        do {
            report.outputLawL1 = distance(try made.outputLaw(), made.problem.target)
        } catch CouplingError.problemTooLarge {
            report.outputLawL1 = nil
        }
        if let rule = made as? GlobalResolution {
            switch rule.earlyTermination {
            case .none: break
            case .tooLarge(let tokens): report.earlyTermination = "the truncated system has \(tokens) tokens"
            case .notConverged(let norm): report.earlyTermination = "the gradient stopped at \(norm)"
            }
        }
        var generator = stream()
        report.empiricalL1 = try empirical(made.problem.target) {
            try made.select(from: made.problem.drawDrafts(using: &generator), using: &generator).token
        }
    }

    /// The couplings without a common view of both laws: each party's token follows its own law by construction.
    private func describeTwoParties(
        _ p: FiniteDistribution, _ q: FiniteDistribution, _ clock: ContinuousClock, _ report: inout Report
    ) throws {
        report.outputLawL1 = 0
        switch rule {
        case .gumbel:
            report.seconds = try seconds(
                clock.measure {
                    report.acceptance = try GumbelCoupling.matchProbability(draft: p, target: q)
                })
            var generator = stream()
            report.empiricalL1 = try empirical(q) {
                try GumbelCoupling.token(
                    of: q, uniforms: GumbelCoupling.uniforms(count: q.count, using: &generator))
            }
        case .minhash:
            report.seconds = try seconds(
                clock.measure {
                    report.acceptance = try WeightedMinHashCoupling.matchProbability(draft: p, target: q)
                })
            var draw = 0
            report.empiricalL1 = empirical(q) {
                draw += 1
                return WeightedMinHashCoupling.token(of: q, darts: stream(draw))
            }
        default:
            var made: LowCommunicationCoupling?
            report.seconds = try seconds(
                clock.measure {
                    made = try LowCommunicationCoupling(draft: p, target: q, precision: precision)
                })
            guard let coupling = made else { return }
            report.acceptance = coupling.matchProbability
            report.expectedBits = coupling.expectedBits
            report.expectedRounds = coupling.expectedRounds
            var shared = stream(0)
            var alice = stream(1)
            var bob = stream(2)
            report.empiricalL1 = try empirical(q) {
                try coupling.run(shared: &shared, alice: &alice, bob: &bob).targetToken
            }
        }
    }

    private func stream(_ sample: Int = 0) -> RandomStream {
        RandomSource(seed: seed).stream(sample: sample, step: 0, purpose: .auxiliary)
    }

    private func empirical(_ law: FiniteDistribution, _ draw: () throws -> Int) rethrows -> Double? {
        guard samples > 0 else { return nil }
        var counts = Array(repeating: 0.0, count: law.count)
        for _ in 0..<samples { counts[try draw()] += 1 / Double(samples) }
        return distance(counts, law)
    }

    private func distance(_ law: [Double], _ target: FiniteDistribution) -> Double {
        zip(law, target.probabilities).reduce(0) { $0 + abs($1.0 - $1.1) }
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    private func text(_ report: Report) -> String {
        func number(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "—" }
        var lines = [
            "rule           \(report.rule.rawValue)", "drafts         \(report.drafts)",
            "acceptance     \(number(report.acceptance))", "optimum        \(number(report.optimum))",
            "output law L1  \(number(report.outputLawL1))", "exact          \(report.exact ? "yes" : "no, within 15τ")",
        ]
        if let empirical = report.empiricalL1 { lines.append("empirical L1   \(number(empirical))") }
        if let bits = report.expectedBits { lines.append("expected bits  \(number(bits))") }
        if let reason = report.earlyTermination { lines.append("fell back      \(reason)") }
        lines.append("seconds        \(number(report.seconds))")
        return lines.joined(separator: "\n")
    }
}
