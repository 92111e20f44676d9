import Diffusion
import FiniteAlphabets
import Foundation
import Statistics
import Synchronization

/// The statistical suite: everything about the sampler that is claimed to be exact, tested, and everything known to be
/// wrong, to show that the tests would tell.
///
/// The hypotheses that should hold form one family, and all of them are to hold at its level by Holm's procedure. With
/// probability 1 - `level` or more, a correct program passes.
public struct VerificationSuite: Sendable {
    /// The family-wise level.
    public static let defaultLevel = 0.01
    /// A control must be rejected beyond all doubt.
    public static let controlLevel = 1e-6
    /// Which combinations of rule, draft and window are tried.
    public enum Grid: Sendable {
        /// The loop's own rule with all drafts and windows, the others with one window for each draft.
        case thinned
        /// The whole product.
        case full
    }

    /// At which every control is rejected at `controlLevel`.
    public static let defaultSamples = 25_000
    /// What a vocabulary may be for the rules for tokens.
    public static let vocabularies = ParameterRange("the vocabulary", from: 2, to: 1_000_000)
    /// One that no rule refuses, and one at which outcomes are many.
    public static let defaultVocabularies = [8, 40]
    /// Below it the tests' asymptotic p-values are too rough.
    public static let fewestSamples = 1_000

    public let level: Double
    public let checks: [Check]

    /// - Parameters:
    ///   - samples: independent results per check, at least `fewestSamples`.
    ///   - seed: all randomness is a function of it.
    ///   - level: the family-wise level.
    ///   - grid: the whole product takes about three times as long.
    ///   - chains: by default the suite's own; give others to try your chain or draft.
    ///   - vocabularies: sizes, from 2 to a million, at which the rules for tokens are tried.
    ///   - threads: for the plain samples, which are drawn at once.
    /// - Throws: `DiffusionError` for too few samples, `CouplingError` for a vocabulary that cannot be, or what a chain throws.
    public init(
        samples: Int = defaultSamples, seed: UInt64 = 0, level: Double = defaultLevel, grid: Grid = .thinned,
        chains: [ChainCase]? = nil, vocabularies: [Int] = defaultVocabularies, threads: Int = 1
    ) throws {
        guard samples >= Self.fewestSamples else {
            throw DiffusionError("samples", expected: "at least \(Self.fewestSamples)", found: "\(samples)")
        }
        self.level = level
        let rules = CouplingChecks.exact
        var checks = CouplingChecks.all(rules: rules, samples: samples, seed: seed)
        let speculation = try SpeculationChecks(
            chains: chains ?? AnalyticChains.all(), grid: grid, samples: samples, seed: seed, threads: threads)
        checks += speculation.all(rules: rules, wrong: CouplingChecks.wrong, index: checks.count)
        for vocabulary in vocabularies {
            try Self.vocabularies.check(Double(vocabulary))
            checks += try FiniteChecks(vocabulary: vocabulary, samples: samples, seed: seed).all(index: checks.count)
        }
        checks += ListChecks.all(samples: samples, seed: seed, index: checks.count)
        checks += BlockChecks.all(samples: samples, seed: seed, index: checks.count)
        checks += speculation.blocks(index: checks.count)
        self.checks = checks
    }

    /// Runs the checks, several at a time. The findings come in the checks' order and depend on nothing but the
    /// samples and the seed.
    /// - Parameters:
    ///   - groups: which checks, with the controls that are about them; the family is what is run.
    ///   - threads: how many checks run at a time.
    ///   - onChecked: called from any thread after each check with how many are done.
    public func run(
        groups: Set<Check.Group> = Set(Check.Group.allCases), threads: Int = 1,
        onChecked: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [Finding] {
        let checks = checks.filter { groups.contains($0.group) || groups.contains($0.about) }
        let done = Mutex(0)
        let results = try checks.concurrentMap(threads: threads) { check in
            let result = try check.run()
            done.withLock {
                $0 += 1
                onChecked($0, checks.count)
            }
            return result
        }
        let family = checks.indices.filter { checks[$0].group != .control }
        let adjusted = MultipleTesting.holm(family.map { results[$0].pValue })
        let adjustedByCheck = Dictionary(uniqueKeysWithValues: zip(family, adjusted))
        return checks.indices.map { i in
            let pValue = results[i].pValue
            return Finding(
                group: checks[i].group, name: checks[i].name, test: checks[i].test, samples: checks[i].samples,
                statistic: results[i].statistic, pValue: pValue, adjustedPValue: adjustedByCheck[i],
                hasPassed: adjustedByCheck[i].map { $0 > level } ?? (pValue < Self.controlLevel))
        }
    }
}
