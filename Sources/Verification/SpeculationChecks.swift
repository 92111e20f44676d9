import Couplings
import Diffusion
import Foundation
import Statistics
import Synchronization

/// Checks of the whole loop: speculative against plain samples of the same chain.
struct SpeculationChecks: Sendable {
    /// The window of the controls.
    private let controlWindow: WindowCase
    /// The window at which acceptances are counted.
    static let meetingWindow = 4
    /// With less the sum is not normal enough for a z-test.
    private static let leastVariance = 25.0
    /// How many times a check's samples may be drawn to reach it.
    private static let mostMeetingSamples = 20

    let chains: [ChainCase]
    let grid: VerificationSuite.Grid
    let windows: [WindowCase]
    /// Plain samples of each chain, pairs `(Y_j, Y_K)`, which all its checks are held against.
    private let plain: [Lazily<[[Double]]>]
    let samples: Int
    let seed: UInt64

    init(chains: [ChainCase], grid: VerificationSuite.Grid, samples: Int, seed: UInt64, threads: Int) throws {
        self.chains = chains
        self.grid = grid
        windows = try WindowCase.all()
        controlWindow = WindowCase("8", try FixedWindow(8))
        self.samples = samples
        self.seed = seed
        plain = chains.enumerated().map { index, chain in
            Lazily {
                try Self.plainPairs(
                    of: chain.chain, range: Self.samples(samples, ofCheck: Self.plainIndex + index), seed: seed,
                    threads: threads)
            }
        }
    }

    /// Checks count up from 0; the noise of plain samples lies beyond theirs.
    private static let plainIndex = 1 << 16

    private static func samples(_ count: Int, ofCheck index: Int) -> Range<Int> {
        let first = NoiseRange.check(index).lowerBound
        return first..<first + count
    }

    private static func plainPairs(
        of chain: some GaussianChain, range: Range<Int>, seed: UInt64, threads: Int
    ) throws -> [[Double]] {
        let sampler = SequentialSampler(chain: chain, random: RandomSource(seed: seed))
        return try pairs(of: sampler, samples: range, threads: threads)
    }

    /// `(Y_j, Y_K)` of each sample, one after the other in a row, with `j` half way. That both parts have the right law each
    /// would not make the path right.
    private static func pairs(of sampler: some Sampler, samples: Range<Int>, threads: Int) throws -> [[Double]] {
        let middle = max(1, sampler.chain.stepCount / 2)
        let visited = Mutex<[Int: [Double]]>([:])
        let finished = try sampler.runConcurrently(samples: samples, lanes: 64, threads: threads) { info in
            let visits = info.visits.filter { $0.step == middle }
            visited.withLock { states in for visit in visits { states[visit.sample] = visit.state } }
        }
        return try visited.withLock { states in
            try finished.map { sample in
                guard let state = states[sample.sample] else {
                    throw DiffusionError(
                        "sample \(sample.sample)", expected: "a visit to every step", found: "none to step \(middle)")
                }
                return state + sample.state
            }
        }
    }

    /// What pairs are projected on beside their axes: the chain's directions of the last state, and each coordinate's sum and
    /// difference of the two states.
    private static func directions(of chain: ChainCase) -> [[Double]] {
        let dimension = chain.chain.dimension
        let zeros = [Double](repeating: 0, count: dimension)
        let across = (0..<dimension).flatMap { axis in
            [1.0, -1].map { sign in
                var direction = zeros + zeros
                (direction[axis], direction[dimension + axis]) = (1, sign)
                return direction
            }
        }
        return chain.directions.map { zeros + $0 } + across
    }

    /// - Parameters:
    ///   - rules: the first is tried with every draft and window.
    ///   - index: the first check's number, which keys its noise.
    func all(rules: [RuleCase], wrong: [RuleCase], index: Int) -> [Check] {
        var checks: [Check] = []
        for (c, chain) in chains.enumerated() {
            for (r, rule) in rules.enumerated() {
                for (d, draft) in chain.drafts.enumerated() {
                    for (w, window) in windows.enumerated() where isChosen(chain: c, rule: r, draft: d, window: w) {
                        checks.append(marginalCheck(c, draft, window: window, rule: rule, index: index + checks.count))
                    }
                    if r == 0, rule.isMaximal, draft.isDoubtful {
                        checks.append(
                            meetingCheck(chain, draft, rule: rule, group: .meeting, index: index + checks.count))
                    }
                    checks.append(
                        innovationCheck(chain, draft, rule: rule, group: .speculation, index: index + checks.count))
                }
            }
        }
        for rule in wrong {
            for draft in controlledDraftNames { checks.append(control(draft, rule: rule, index: index + checks.count)) }
            for c in chains.indices { checks += controls(of: c, rule: rule, index: index + checks.count) }
        }
        return checks
    }

    /// Windows verified at once: on every chain, with the published draft and the best one, against the law of plain samples. The
    /// control, on one of the chains at least: noise that a window before has looked at already (rule R2).
    func blocks(index: Int) -> [Check] {
        var checks: [Check] = []
        for c in chains.indices {
            for draft in chains[c].drafts where ["frozen", "recycled"].contains(draft.name) {
                let number = index + checks.count
                let name = "\(chains[c].name), \(draft.name), window \(controlWindow.name), block"
                checks.append(
                    Check(group: .speculation, name: name, test: Self.marginalTest, samples: samples) {
                        try compareBlocks(c, draft, index: number)
                    })
            }
        }
        let frozen = chains.indices.filter { chains[$0].isForControls }.compactMap { c in
            chains[c].drafts.first { $0.name == "frozen" }.map { (c, $0) }
        }
        guard !frozen.isEmpty else { return checks }
        let number = index + checks.count
        checks.append(
            Check(
                group: .control, about: .speculation, name: "frozen, block, pinned noise", test: Self.marginalTest,
                samples: 4 * samples
            ) {
                // What a second look at the noise does to the law is small: it takes more samples to be beyond doubt.
                MultipleTesting.bonferroni(
                    try frozen.map {
                        try compareBlocks($0.0, $0.1, hasOwnNoise: false, count: 4 * samples, index: number)
                    })
            })
        return checks
    }

    private func compareBlocks(
        _ c: Int, _ draft: DraftCase, hasOwnNoise: Bool = true, count: Int? = nil, index: Int
    ) throws -> TestResult {
        func run(_ chain: some GaussianChain) throws -> [[Double]] {
            let sampler = BlockSampler(
                chain: chain, draft: draft.draft, rule: BlockVerification(), window: controlWindow.policy,
                random: RandomSource(seed: seed), hasOwnNoise: hasOwnNoise)
            return try Self.pairs(of: sampler, samples: Self.samples(count ?? samples, ofCheck: index), threads: 1)
        }
        return try MarginalTest.twoSample(
            run(chains[c].chain), plain[c].value(), directions: Self.directions(of: chains[c]))
    }

    /// The first rule is the loop's own, and has every draft with every window. To the loop all rules are the same:
    /// unless the whole product is wanted, each of the others has one window with each draft, in turn.
    private func isChosen(chain: Int, rule: Int, draft: Int, window: Int) -> Bool {
        if grid == .full || (rule == 0 && !chains[chain].isThinned) { return true }
        return window == (chains[chain].isThinned ? chain + draft + rule : draft + rule) % windows.count
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
        Check(
            group: .control, about: .speculation, name: "\(draft), \(rule.name)", test: Self.marginalTest,
            samples: samples
        ) {
            let results = try chains.indices.filter { chains[$0].isForControls }.compactMap { c in
                try chains[c].drafts.first { $0.name == draft }.map {
                    try compare(c, $0, window: controlWindow.policy, rule: rule, index: index)
                }
            }
            return MultipleTesting.bonferroni(results)
        }
    }

    /// On every chain the innovations must give every wrong rule away, and the rate of acceptance one that accepts more than
    /// it should; the law of the states, where later steps wash errors out, one that accepts everything.
    private func controls(of c: Int, rule: RuleCase, index: Int) -> [Check] {
        let chain = chains[c]
        guard let draft = chain.drafts.first(where: \.isForControls) else { return [] }
        var checks = [innovationCheck(chain, draft, rule: rule, group: .control, index: index)]
        if rule.isLenient {
            checks.append(meetingCheck(chain, draft, rule: rule, group: .control, index: index + checks.count))
        }
        if rule.acceptsEverything {
            let name = "\(chain.name), \(draft.name), \(rule.name)"
            let number = index + checks.count
            checks.append(
                Check(group: .control, about: .speculation, name: name, test: Self.marginalTest, samples: samples) {
                    try compare(c, draft, window: controlWindow.policy, rule: rule, index: number)
                })
        }
        return checks
    }

    private func compare(
        _ c: Int, _ draft: DraftCase, window: any WindowPolicy, rule: RuleCase, index: Int
    ) throws -> TestResult {
        func run(_ chain: some GaussianChain) throws -> [[Double]] {
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft.draft, rule: rule.rule(chain.drawnDimension), window: window,
                random: RandomSource(seed: seed))
            return try Self.pairs(of: sampler, samples: Self.samples(samples, ofCheck: index), threads: 1)
        }
        return try MarginalTest.twoSample(
            run(chains[c].chain), plain[c].value(), directions: Self.directions(of: chains[c]))
    }

    /// Rates and innovations take fewer samples than a law.
    private var fewerSamples: Int { min(samples, max(1000, samples / 4)) }

    private func innovationCheck(
        _ chain: ChainCase, _ draft: DraftCase, rule: RuleCase, group: Check.Group, index: Int
    ) -> Check {
        let count = group == .control ? samples : fewerSamples
        return InnovationCheck.check(
            group: group, name: "\(chain.name), \(draft.name), window \(Self.meetingWindow), \(rule.name)",
            count: count, rule: rule, dimension: chain.chain.drawnDimension
        ) { recorder in
            func run(_ target: some GaussianChain) throws {
                let sampler = try SpeculativeSampler(
                    chain: target, draft: draft.draft, rule: recorder, window: Self.meetingWindow,
                    random: RandomSource(seed: seed))
                _ = try sampler.runConcurrently(
                    samples: Self.samples(count, ofCheck: index), lanes: 64, threads: 1)
            }
            try run(chain.chain)
        }
    }

    /// The accepted drafts of a run less the sum of the probabilities `2Φ(-‖Δ_k‖/2)` known beforehand: a martingale
    /// of variance `Σ p(1-p)`, hence a z-test (martingale central limit theorem, Hall & Heyde 1980, Cor. 3.1).
    private func meetingCheck(
        _ chain: ChainCase, _ draft: DraftCase, rule: RuleCase, group: Check.Group, index: Int
    ) -> Check {
        let count = fewerSamples
        let name = "\(chain.name), \(draft.name), window \(Self.meetingWindow), \(rule.name)"
        return Check(group: group, about: .meeting, name: name, test: "z, martingale", samples: count) {
            var (excess, variance) = (0.0, 0.0)
            var range = Self.samples(count, ofCheck: index)
            let limit = range.lowerBound + Self.mostMeetingSamples * count
            func run(_ target: some GaussianChain) throws {
                let sampler = try SpeculativeSampler(
                    chain: target, draft: draft.draft, rule: rule.rule(target.drawnDimension),
                    window: Self.meetingWindow, random: RandomSource(seed: seed))
                try sampler.run(samples: range, lanes: 64) { info, _ in
                    for decision in info.decisions {
                        let probability = maximalAcceptance(distance: decision.distance)
                        excess += (decision.isAccepted ? 1 : 0) - probability
                        variance += probability * (1 - probability)
                    }
                } onFinished: { _ in
                }
            }
            // Where few drafts are doubtful it takes more samples. The variance so far, unlike the excess, may end a run.
            while variance < Self.leastVariance, range.upperBound <= limit {
                try run(chain.chain)
                range = range.upperBound..<range.upperBound + count
            }
            guard variance >= Self.leastVariance else {
                throw DiffusionError(
                    "meeting rate of \(name)", expected: "enough doubtful drafts for a z-test",
                    found: "a variance of \(variance)", remedy: "use more samples")
            }
            return NormalDistribution.twoSided(excess / variance.squareRoot())
        }
    }
}
