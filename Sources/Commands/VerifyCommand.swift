import ArgumentParser
import Jobs
import Verification

extension Check.Group: ExpressibleByArgument {}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Test statistically that speculation is exact.",
        discussion: """
            Couplings against their law and their acceptance rate, speculative against plain samples of chains with \
            closed forms, with every exact draft and several windows; and, as controls, rules known to be wrong, \
            which must be caught. The rules for tokens against their law too, by Pearson's χ². Prints a table of p-values and exits with 1 if anything fails.

            What should hold is one family of hypotheses, tested at the family-wise level by Holm's procedure; a \
            control must be rejected at p < 1e-6. The p-values are by Kolmogorov and Smirnov's tests on projections, \
            with Bonferroni's correction for their number, and by z-tests for rates.
            """)

    @Option(
        parsing: .unconditional,
        help: .init(
            "Independent results per check: more is stricter. Below the default some controls may be too weak to be caught, which counts as a failure.",
            valueName: "N"))
    var count = VerificationRun.defaultSamples

    @Option(name: .customLong("samples"), parsing: .unconditional, help: .hidden)
    var formerCount: Int?

    @OptionGroup var seed: SeedOption

    @Option(parsing: .unconditional, help: .init("Family-wise level.", valueName: "α"))
    var level = VerificationRun.defaultLevel

    @OptionGroup var threads: ThreadsOption

    @Flag(
        help:
            "Try every rule with every draft and every window, rather than the loop's own rule with all and the others with one window for each draft."
    )
    var full = false

    @Option(
        name: .customLong("group"), parsing: .unconditionalSingleValue,
        help: .init("Only these checks, with their controls (repeatable; default: all).", valueName: "group"))
    var groups: [Check.Group] = []

    @Option(
        name: .customLong("vocabulary"), parsing: .unconditionalSingleValue,
        help: .init(
            "Number of tokens at which the rules for tokens are tried (repeatable; default: \(VerificationRun.defaultVocabularies.map(String.init).joined(separator: " and "))). A rule that refuses so many is left out.",
            valueName: "V"))
    var vocabularies: [Int] = []

    @OptionGroup(title: "Result") var result: ResultOptions

    func run() throws {
        Interruption.watch()
        try result.check()
        let run = try VerificationRun.run(
            samples: formerCount ?? count, seed: seed.seed, level: level, full: full, groups: groups,
            vocabularies: vocabularies.isEmpty ? VerificationRun.defaultVocabularies : vocabularies,
            threads: threads.threads, monitor: result.console)
        try result.show(run)
        if let failure = run.failure { throw failure }
    }
}
