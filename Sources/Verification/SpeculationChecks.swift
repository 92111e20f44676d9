import Couplings
import Diffusion
import Foundation
import Statistics

/// Checks of the whole loop: speculative against plain samples of the same chain.
struct SpeculationChecks: Sendable {
    /// The window of the controls.
    private let controlWindow: WindowCase
    /// The window at which acceptances are counted.
    static let meetingWindow = 4

    let chains: [ChainCase]
    let grid: VerificationSuite.Grid
    let windows: [WindowCase]
    /// Plain samples of each chain, which all its checks are held against.
    private let plain: [[[Double]]]
    let samples: Int
    let seed: UInt64

    init(chains: [ChainCase], grid: VerificationSuite.Grid, samples: Int, seed: UInt64, threads: Int) throws {
        self.chains = chains
        self.grid = grid
        windows = try WindowCase.all()
        controlWindow = WindowCase("8", try FixedWindow(8))
        self.samples = samples
        self.seed = seed
        plain = try chains.enumerated().map { index, chain in
            try Self.plainSamples(
                of: chain.chain, range: Self.samples(samples, ofCheck: Self.plainIndex + index), seed: seed,
                threads: threads)
        }
    }

    /// Checks count up from 0; the noise of plain samples lies beyond theirs.
    private static let plainIndex = 1 << 16

    private static func samples(_ count: Int, ofCheck index: Int) -> Range<Int> {
        let first = NoiseRange.check(index).lowerBound
        return first..<first + count
    }

    private static func plainSamples(
        of chain: some GaussianChain, range: Range<Int>, seed: UInt64, threads: Int
    ) throws -> [[Double]] {
        try SequentialSampler(chain: chain, random: RandomSource(seed: seed))
            .runConcurrently(samples: range, lanes: 64, threads: threads).map(\.state)
    }

    /// - Parameters:
    ///   - rules: the first is tried with every draft and window.
    ///   - index: the first check's number, which keys its noise.
    func all(rules: [RuleCase], wrong: [RuleCase], index: Int) -> [Check] {
        var checks: [Check] = []
        for (c, chain) in chains.enumerated() {
            for (r, rule) in rules.enumerated() {
                for (d, draft) in chain.drafts.enumerated() {
                    for (w, window) in windows.enumerated() where isChosen(rule: r, draft: d, window: w) {
                        checks.append(marginalCheck(c, draft, window: window, rule: rule, index: index + checks.count))
                    }
                    if r == 0, rule.isMaximal {
                        checks.append(meetingCheck(chain, draft, rule: rule, index: index + checks.count))
                    }
                }
            }
        }
        for rule in wrong {
            for draft in controlledDraftNames { checks.append(control(draft, rule: rule, index: index + checks.count)) }
        }
        return checks
    }

    /// The first rule is the loop's own, and has every draft with every window. To the loop all rules are the same:
    /// unless the whole product is wanted, each of the others has one window with each draft, in turn.
    private func isChosen(rule: Int, draft: Int, window: Int) -> Bool {
        rule == 0 || grid == .full || window == (draft + rule) % windows.count
    }

    /// Drafts that reject enough on one of the chains at least for a wrong rule to show.
    private var controlledDraftNames: [String] {
        let drafts = chains.filter(\.isForControls).flatMap(\.drafts).filter(\.isForControls)
        var names: [String] = []
        for draft in drafts where !names.contains(draft.name) { names.append(draft.name) }
        return names
    }

    private static let marginalTest = "KS two-sample"

    private func marginalCheck(_ c: Int, _ draft: DraftCase, window: WindowCase, rule: RuleCase, index: Int) -> Check {
        let name = "\(chains[c].name), \(draft.name), window \(window.name), \(rule.name)"
        return Check(group: .speculation, name: name, test: Self.marginalTest, samples: samples) {
            try compare(c, draft, window: window.policy, rule: rule, index: index)
        }
    }

    /// With each draft a wrong rule must be found out on one of the chains at least: the better a draft, the less
    /// there is to get wrong. Bonferroni over the chains.
    private func control(_ draft: String, rule: RuleCase, index: Int) -> Check {
        Check(group: .control, name: "\(draft), \(rule.name)", test: Self.marginalTest, samples: samples) {
            let results = try chains.indices.filter { chains[$0].isForControls }.compactMap { c in
                try chains[c].drafts.first { $0.name == draft }.map {
                    try compare(c, $0, window: controlWindow.policy, rule: rule, index: index)
                }
            }
            return TestResult(
                statistic: results.map(\.statistic).max() ?? 0,
                pValue: MultipleTesting.bonferroni(results.map(\.pValue)))
        }
    }

    private func compare(
        _ c: Int, _ draft: DraftCase, window: any WindowPolicy, rule: RuleCase, index: Int
    ) throws -> TestResult {
        func run(_ chain: some GaussianChain) throws -> [[Double]] {
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft.draft, rule: rule.rule(chain.dimension), window: window,
                random: RandomSource(seed: seed))
            return try sampler.runConcurrently(
                samples: Self.samples(samples, ofCheck: index), lanes: 64, threads: 1
            ).map(\.state)
        }
        return try MarginalTest.twoSample(run(chains[c].chain), plain[c], directions: chains[c].directions)
    }

    /// The accepted drafts of a run less the sum of the probabilities `2Φ(-‖Δ_k‖/2)` known beforehand: a martingale
    /// of variance `Σ p(1-p)`, hence a z-test (martingale central limit theorem, Hall & Heyde 1980, Cor. 3.1).
    private func meetingCheck(_ chain: ChainCase, _ draft: DraftCase, rule: RuleCase, index: Int) -> Check {
        let count = min(samples, max(1000, samples / 4))  // a rate takes fewer than a law
        let name = "\(chain.name), \(draft.name), window \(Self.meetingWindow), \(rule.name)"
        return Check(group: .meeting, name: name, test: "z, martingale", samples: count) {
            var (excess, variance) = (0.0, 0.0)
            func run(_ target: some GaussianChain) throws {
                let sampler = try SpeculativeSampler(
                    chain: target, draft: draft.draft, rule: rule.rule(target.dimension), window: Self.meetingWindow,
                    random: RandomSource(seed: seed))
                try sampler.run(samples: Self.samples(count, ofCheck: index), lanes: 64) { info, _ in
                    for decision in info.decisions {
                        let probability = maximalAcceptance(distance: decision.distance)
                        excess += (decision.isAccepted ? 1 : 0) - probability
                        variance += probability * (1 - probability)
                    }
                } onFinished: { _ in
                }
            }
            try run(chain.chain)
            guard variance >= 25 else {
                throw DiffusionError(
                    "meeting rate of \(name)", expected: "enough doubtful drafts for a z-test",
                    found: "a variance of \(variance)", remedy: "use more samples")
            }
            return NormalDistribution.twoSided(excess / variance.squareRoot())
        }
    }
}
