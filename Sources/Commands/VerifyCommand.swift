import ArgumentParser
import Foundation
import Synchronization
import Verification

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Test statistically that speculation is exact.",
        discussion: """
            Couplings against their law and their acceptance rate, speculative against plain samples of chains with \
            closed forms, with every exact draft and several windows; and, as controls, rules known to be wrong, \
            which must be caught. Prints a table of p-values and exits with 1 if anything fails.

            What should hold is one family of hypotheses, tested at the family-wise level by Holm's procedure; a \
            control must be rejected at p < 1e-6. The p-values are by Kolmogorov and Smirnov's tests on projections, \
            with Bonferroni's correction for their number, and by z-tests for rates.
            """)

    @Option(
        help: .init(
            "Independent results per check: more is stricter. Below the default some controls may be too weak to be caught, which counts as a failure.",
            valueName: "N"))
    var samples = VerificationSuite.defaultSamples

    @Option(help: .init("Seed of all noise.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(help: .init("Family-wise level.", valueName: "α"))
    var level = VerificationSuite.defaultLevel

    @Option(help: .init("Processor cores to use (default: all); changes no result.", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Flag(
        help:
            "Try every rule with every draft and every window, rather than the loop's own rule with all and the others with one window for each draft."
    )
    var full = false

    @Flag(help: "Print JSON in place of the table.")
    var json = false

    @Flag(help: "No progress.")
    var quiet = false

    struct Result: Encodable {
        let samples: Int
        let full: Bool
        let seed: UInt64
        let level: Double
        let control_level: Double
        let passed: Bool
        let findings: [Finding]
    }

    func validate() throws {
        guard (VerificationSuite.fewestSamples...10_000_000).contains(samples) else {
            throw ValidationError(
                "--samples must be from \(VerificationSuite.fewestSamples) to 10000000, found \(samples).")
        }
        guard level > 0, level < 1 else { throw ValidationError("--level must be between 0 and 1, found \(level).") }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
    }

    func run() throws {
        let clock = ContinuousClock.now
        let suite = try VerificationSuite(
            samples: samples, seed: seed, level: level, grid: full ? .full : .thinned, threads: threads)
        let progress = Mutex(Progress("verify", total: Double(suite.checks.count), isQuiet: quiet))
        let findings = try suite.run(threads: threads) { done, total in
            progress.withLock { $0.update(done: Double(done)) { _ in "\(done) of \(total) checks" } }
        }
        progress.withLock { $0.finish() }
        let hasPassed = findings.allSatisfy(\.hasPassed)
        if json {
            let result = Result(
                samples: samples, full: full, seed: seed, level: level, control_level: VerificationSuite.controlLevel,
                passed: hasPassed, findings: findings)
            print(try result.jsonText())
        } else {
            print(VerificationTable(findings: findings, level: level).text)
            print("\nseed \(seed), \((ContinuousClock.now - clock).seconds.formatted(digits: 1)) s")
        }
        let failed = findings.count { !$0.hasPassed }
        if failed > 0 { throw VerificationFailure(failed: failed, total: findings.count) }
    }
}

/// The suite has found something.
private struct VerificationFailure: Error, CustomStringConvertible {
    let failed, total: Int

    var description: String { "\(failed) of \(total) checks failed" }
}
