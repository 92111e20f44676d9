import Foundation
import Imaging
import Models
import Statistics
import Verification

/// The statistical suite, run to its end.
public struct VerificationRun: RunResult {
    let samples: Int
    let full: Bool
    let seed: UInt64
    let level: Double
    let control_level: Double
    public let passed: Bool
    let findings: [Finding]
    private let seconds: Double

    private enum CodingKeys: String, CodingKey { case samples, full, seed, level, control_level, passed, findings }

    public static let defaultSamples = VerificationSuite.defaultSamples
    public static let defaultVocabularies = VerificationSuite.defaultVocabularies
    public static let defaultLevel = VerificationSuite.defaultLevel

    /// - Parameters:
    ///   - samples: independent results a check.
    ///   - seed: all randomness is a function of it.
    ///   - level: family-wise level of the hypotheses.
    ///   - full: every rule with every draft and every window.
    ///   - groups: which checks, with their controls; empty for all.
    ///   - vocabularies: sizes at which the rules for tokens are tried.
    ///   - threads: cores to use, at least 1; changes no result.
    ///   - monitor: is told how far the run is, and may end it.
    public static func run(
        samples: Int, seed: UInt64, level: Double, full: Bool, groups: [Check.Group] = [],
        vocabularies: [Int] = VerificationSuite.defaultVocabularies, threads: Int,
        monitor: any RunMonitor = NoMonitor()
    ) throws -> VerificationRun {
        guard (VerificationSuite.fewestSamples...10_000_000).contains(samples) else {
            throw RecipeError(
                "count", "must be from \(VerificationSuite.fewestSamples) to 10000000, found \(samples).")
        }
        guard level > 0, level < 1 else { throw RecipeError("level", "must be between 0 and 1, found \(level).") }
        for vocabulary in vocabularies {
            try VerificationSuite.vocabularies.check(Double(vocabulary), setting: "vocabulary")
        }
        let clock = ContinuousClock.now
        let suite = try VerificationSuite(
            samples: samples, seed: seed, level: level, grid: full ? .full : .thinned,
            vocabularies: vocabularies, threads: threads)
        monitor.begin("verify", total: 1)
        defer { monitor.end() }
        let chosen = Set(groups.isEmpty ? Check.Group.allCases : groups)
        let findings = try suite.run(groups: chosen, threads: threads) { done, total in
            monitor.update(done: Double(done) / Double(total)) { _ in "\(done) of \(total) checks" }
        }
        return VerificationRun(
            samples: samples, full: full, seed: seed, level: level, control_level: VerificationSuite.controlLevel,
            passed: findings.allSatisfy(\.hasPassed), findings: findings,
            seconds: (ContinuousClock.now - clock).seconds)
    }

    /// What did not hold; nil if all did.
    public var failure: VerificationFailure? {
        let failed = findings.count { !$0.hasPassed }
        return failed > 0 ? VerificationFailure(failed: failed, total: findings.count) : nil
    }

    public var page: Page {
        let (held, controls) = (findings.filter { $0.group != .control }, findings.filter { $0.group == .control })
        let facts = [
            Page.Fact(passed ? "passed" : "failed", "\(findings.count.counted("check")) at level \(level)"),
            Page.Fact("\(held.count { $0.hasPassed }) of \(held.count)", "exact configurations hold"),
            Page.Fact("\(controls.count { $0.hasPassed }) of \(controls.count)", "wrong rules caught"),
            Page.Fact("\(seconds.formatted(digits: 1)) s", "by the clock"),
        ]
        let figure = Figure(
            "p-values of what should hold, in order", x: .init("of a uniform law", range: 0...1),
            y: .init("seen", range: 0...1),
            series: [
                .init("uniform", points: [(0, 0), (1, 1)], mark: .line(.dashed, nil), paint: .muted),
                .init(
                    "checks",
                    points: held.map(\.pValue).sorted().enumerated().map {
                        ((Double($0) + 0.5) / Double(max(1, held.count)), $1)
                    }, mark: .dots(diameter: 6), paint: .series(0)),
            ], shape: .square)
        let rows = findings.map { finding in
            [
                finding.hasPassed ? "ok" : "FAIL", "\(finding.group)", finding.name, finding.test, "\(finding.samples)",
                VerificationTable.pValue(finding.pValue), finding.adjustedPValue.map(VerificationTable.pValue) ?? "",
            ]
        }
        return Page(
            "Is speculation exact? \(passed ? "Nothing speaks against it" : "Not by these checks")", facts: facts,
            sections: (held.isEmpty
                ? []
                : [
                    Page.Section(
                        "p-values",
                        note:
                            "Those of independent tests of what is true lie along the line; corrections for several projections lift some.",
                        .figure(figure))
                ]) + [
                    Page.Section(
                        "Every check", .table(.init(["", "group", "check", "test", "n", "p", "adjusted p"], rows)))
                ])
    }

    public var text: String {
        VerificationTable(findings: findings, level: level).text
            + "\n\nseed \(seed), \(seconds.formatted(digits: 1)) s"
    }
}

/// The suite has found something.
public struct VerificationFailure: Error, CustomStringConvertible {
    let failed, total: Int

    public var description: String { "\(failed) of \(total) checks failed" }
}
