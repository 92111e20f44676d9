import Couplings
import Diffusion
import Testing
import Verification

/// The suite of `diffspec verify`, smaller: every rule, every exact draft with every window passes, at a family-wise
/// level of 1 %, and what is deliberately wrong fails the same tests at p < 1e-6.
@Suite("Speculative samples have the target's law")
struct ExactnessTests {
    static let threads = 2

    /// Each group with the controls that are about it.
    @Test(arguments: Check.Group.allCases.filter { $0 != .control })
    func everyCheckPasses(group: Check.Group) throws {
        let suite = try VerificationSuite(samples: 6_000, seed: 11, threads: Self.threads)
        let findings = try suite.run(groups: [group], threads: Self.threads)
        #expect(findings.contains { $0.group == group } && findings.contains { $0.group == .control })
        for finding in findings { #expect(finding.hasPassed, "\(finding.name): p = \(finding.pValue)") }
    }

    /// Neither the number of threads nor what else runs changes a result.
    @Test func findingsAreReproducible() throws {
        let chains = [try #require(try AnalyticChains.all().last)]
        func run(threads: Int) throws -> [Double] {
            try VerificationSuite(samples: 1000, seed: 1, chains: chains, threads: threads)
                .run(groups: [.speculation], threads: threads).map(\.statistic)
        }
        #expect(try run(threads: 1) == run(threads: 2))
    }

    /// A chain whose plain and speculative laws differ, given to the suite from outside, fails.
    @Test func aDraftThatPeeksIsCaught() throws {
        /// Knows the noise to come, against rule R1, and moves the mean along with it where it is positive.
        struct Peeking: Draft {
            var recyclesTarget: Bool { true }
            func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
                let random = RandomSource(seed: 5)
                return windows.map { window in
                    let k = window.currentStep
                    let noise = random.increment(sample: window.sample, step: k, dimension: chain.dimension)
                    let mean = FrozenDraft().mean(in: window, chain: chain)
                    let shift = 0.4 * chain.transition(at: k).standardDeviation
                    return zip(mean, noise).map { $0 + shift * max(0, $1) }
                }
            }
        }
        let own = try #require(try AnalyticChains.all().first { $0.name == "Langevin" })
        let peeking = ChainCase("peeking", chain: own.chain, drafts: [DraftCase("peeking", Peeking())])
        let findings = try VerificationSuite(samples: 5000, seed: 5, chains: [peeking])
            .run(groups: [.speculation])
        // A window that is chosen may be no window at all, and then nothing is drafted.
        let fixed = findings.filter { finding in
            finding.group == .speculation && [1, 2, 3, 4, 8].contains { finding.name.contains("window \($0),") }
        }
        #expect(fixed.count >= 4)
        #expect(fixed.allSatisfy { !$0.hasPassed && $0.pValue < 1e-6 }, "\(findings.map(\.pValue))")
    }

    @Test func tooFewSamplesAreRefused() {
        #expect(throws: DiffusionError.self) { try VerificationSuite(samples: 10) }
    }
}
