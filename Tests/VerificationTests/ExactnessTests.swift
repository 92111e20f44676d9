import Couplings
import Diffusion
import Testing
import Verification

/// The suite of `diffspec verify`, smaller: every rule, every exact draft with every window passes, at a family-wise
/// level of 1 %, and what is deliberately wrong fails the same tests at p < 1e-6.
@Suite("Speculative samples have the target's law")
struct ExactnessTests {
    static let threads = 2

    @Test(arguments: Check.Group.allCases)
    func everyCheckPasses(group: Check.Group) throws {
        let suite = try VerificationSuite(samples: 20_000, seed: 11, threads: Self.threads)
        let findings = try suite.run(groups: [group], threads: Self.threads)
        #expect(!findings.isEmpty)
        for finding in findings { #expect(finding.hasPassed, "\(finding.name): p = \(finding.pValue)") }
    }

    /// Neither the number of threads nor what else runs changes a p-value.
    @Test func findingsAreReproducible() throws {
        let chains = [try #require(try AnalyticChains.all().last)]
        func run(threads: Int) throws -> [Double] {
            try VerificationSuite(samples: 1000, seed: 1, chains: chains, threads: threads)
                .run(groups: [.speculation], threads: threads).map(\.pValue)
        }
        let alone = try run(threads: 1)
        #expect(try alone == run(threads: 2))
        #expect(Set(alone).count == alone.count, "checks draw their own noise")
    }

    /// A chain whose plain and speculative laws differ, given to the suite from outside, fails.
    @Test func aDraftThatPeeksIsCaught() throws {
        /// Knows the noise to come, against rule R1: the mean is moved against it, towards acceptance.
        struct Peeking: Draft {
            var recyclesTarget: Bool { true }
            func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
                let random = RandomSource(seed: 5)
                return windows.map { window in
                    let k = window.currentStep
                    let noise = random.increment(sample: window.sample, step: k, dimension: chain.dimension)
                    let mean = FrozenDraft().mean(in: window, chain: chain)
                    return zip(mean, noise).map { $0 + 0.3 * chain.transition(at: k).standardDeviation * $1 }
                }
            }
        }
        let own = try AnalyticChains.all()[1]
        let peeking = ChainCase("peeking", chain: own.chain, drafts: [DraftCase("peeking", Peeking())])
        let findings = try VerificationSuite(samples: 20_000, seed: 5, chains: [peeking])
            .run(groups: [.speculation])
        #expect(findings.contains { !$0.hasPassed })
    }

    @Test func tooFewSamplesAreRefused() {
        #expect(throws: DiffusionError.self) { try VerificationSuite(samples: 10) }
    }
}
