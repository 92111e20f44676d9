import Couplings
import Foundation
import Statistics

/// A rule under its name.
public struct RuleCase: Sendable {
    public let name: String
    /// The rule for states of a given dimension.
    public let rule: @Sendable (_ dimension: Int) throws -> any VerificationRule
    /// Whether it accepts with the highest probability that any coupling can, `2Φ(-‖Δ‖/2)`.
    public let isMaximal: Bool
    /// Whether it accepts more often than any coupling can: then its rate must give it away too.
    public let isLenient: Bool
    /// Whether what it makes has the law of the draft: then the law of the states must give it away, on every chain.
    public let acceptsEverything: Bool

    public init(
        _ name: String, isMaximal: Bool, isLenient: Bool = false, acceptsEverything: Bool = false,
        rule: @escaping @Sendable (_ dimension: Int) throws -> any VerificationRule
    ) {
        self.name = name
        self.rule = rule
        self.isMaximal = isMaximal
        self.isLenient = isLenient
        self.acceptsEverything = acceptsEverything
    }

    public init(
        _ name: String, _ rule: any VerificationRule, isMaximal: Bool, isLenient: Bool = false,
        acceptsEverything: Bool = false
    ) {
        self.init(name, isMaximal: isMaximal, isLenient: isLenient, acceptsEverything: acceptsEverything) { _ in rule }
    }
}

/// Checks of a rule by itself, on one Gaussian step whose target law is known in closed form.
enum CouplingChecks {
    /// Every rule that claims to be exact, first the loop's own. A new one is a line here.
    static let exact = [
        RuleCase("reflection", ReflectionCoupling(), isMaximal: true),
        RuleCase("rejection (Algorithm 2)", RejectionCoupling(), isMaximal: true),
        // A shear is invertible, so that nothing of a state is out of the rule's sight.
        RuleCase("projection (Algorithm 9)", isMaximal: false) { dimension in
            let shear = (0..<dimension * dimension).map { i in
                let (row, column) = (i / dimension, i % dimension)
                return row == column ? 1.0 : column == row + 1 ? 3.0 : 0
            }
            return try ProjectionCoupling(RowSpaceProjector(matrix: shear, columns: dimension))
        },
        RuleCase("monotone residual", MonotoneResidualCoupling(), isMaximal: true),
    ]

    /// What the tests must find out. Algorithm 5 accepts as it should; only what it puts in place of a rejected draft is
    /// wrong.
    static let wrong = [
        RuleCase("Algorithm 5 (resampling)", IncorrectRejection(), isMaximal: false),
        RuleCase("accept everything", AcceptEverything(), isMaximal: false, isLenient: true, acceptsEverything: true),
        RuleCase("temperature 4", ReflectionCoupling(temperature: 4), isMaximal: false, isLenient: true),
        RuleCase("translation", TranslatingRejection(), isMaximal: false),
    ]

    /// `‖Δ‖`: from nearly always accepted to nearly never.
    static let distances = [0.01, 0.3, 1, 2.5, 6]
    /// A distance at which every wrong rule shows.
    static let controlDistance = 1.0

    static func all(rules: [RuleCase], samples: Int, seed: UInt64) -> [Check] {
        var checks: [Check] = []
        for rule in rules {
            for distance in distances {
                let step = CoupledStep(distance: distance, samples: samples, seed: seed, index: checks.count)
                checks.append(step.marginalCheck(of: rule, group: .marginal))
                if rule.isMaximal { checks.append(step.meetingCheck(of: rule, group: .meeting)) }
            }
        }
        for rule in wrong {
            let step = CoupledStep(distance: controlDistance, samples: samples, seed: seed, index: checks.count)
            checks.append(step.marginalCheck(of: rule, group: .control))
            if rule.isLenient { checks.append(step.meetingCheck(of: rule, group: .control)) }
        }
        return checks
    }
}

/// One step in four dimensions, `Δ` along no axis, verified over and over.
struct CoupledStep: Sendable {
    static let dimension = 4
    static let direction = [0.5, -0.5, 0.1, 0.7]  // a unit vector
    static let standardDeviation = 0.5
    static let targetMean = [1.0, -2, 0, 0.5]

    let distance: Double
    let samples: Int
    let seed: UInt64
    /// Which check this is: each draws its own noise.
    let index: Int

    private func forEachVerdict(of rule: any VerificationRule, _ body: (Verdict) -> Void) throws {
        let source = RandomSource(seed: seed)
        let s = Self.standardDeviation
        let draftMean = zip(Self.targetMean, Self.direction).map { $0 + s * distance * $1 }
        for i in 0..<samples {
            let sample = NoiseRange.check(index).lowerBound + i
            let noise = source.increment(sample: sample, step: 0, dimension: Self.dimension)
            let proposal = GaussianProposal(
                draftMean: draftMean, targetMean: Self.targetMean, standardDeviation: s, noise: noise,
                state: zip(draftMean, noise).map { $0 + s * $1 })
            var stream = source.stream(sample: sample, step: 0, purpose: .verification)
            try body(rule.verify(proposal, randomness: &stream))
        }
    }

    /// `(Y - m^q)/s` must be standard normal: Kolmogorov and Smirnov's one-sample test along Δ, across it and along an
    /// axis, and of the squared length against χ², corrected by Bonferroni.
    func marginalCheck(of rule: RuleCase, group: Check.Group) -> Check {
        return Check(
            group: group, about: .marginal, name: "marginal, \(rule.name), ‖Δ‖ = \(distance.formatted)",
            test: "KS one-sample",
            samples: samples
        ) {
            var states: [[Double]] = []
            try forEachVerdict(of: rule.rule(Self.dimension)) { states.append($0.state) }
            return Self.marginalResult(of: states)
        }
    }

    /// Of states that should be draws from the target.
    static func marginalResult(of states: [[Double]]) -> TestResult {
        let across = [[0.5, 0.5, 0.7, -0.1], [0.1, 0.7, -0.5, 0.5], [0, 0, 0, 1]]
        let residuals = states.map { state in zip(state, targetMean).map { ($0 - $1) / standardDeviation } }
        var results = ([direction] + across).map { direction in
            KolmogorovSmirnov.oneSample(
                residuals.map { zip($0, direction).reduce(0) { $0 + $1.0 * $1.1 } },
                cumulative: NormalDistribution.cumulative)
        }
        results.append(
            KolmogorovSmirnov.oneSample(residuals.map { $0.reduce(0) { $0 + $1 * $1 } }) {
                NormalDistribution.squaredNormCumulative($0, degrees: dimension)
            })
        return MultipleTesting.bonferroni(results)
    }

    /// The number of accepted drafts is binomial with `2Φ(-‖Δ‖/2)`; z-test (de Moivre and Laplace).
    func meetingCheck(of rule: RuleCase, group: Check.Group) -> Check {
        Check(
            group: group, about: .meeting, name: "meeting, \(rule.name), ‖Δ‖ = \(distance.formatted)",
            test: "z, binomial",
            samples: samples
        ) {
            var accepted = 0
            try forEachVerdict(of: rule.rule(Self.dimension)) { accepted += $0.isAccepted ? 1 : 0 }
            return NormalDistribution.binomial(
                successes: accepted, count: samples, probability: maximalAcceptance(distance: distance))
        }
    }
}

/// Disjoint ranges of sample indices, so that no two checks share noise.
enum NoiseRange {
    static func check(_ index: Int) -> PartialRangeFrom<Int> { (index << 36)... }
}

extension Double {
    /// Without a needless ".0".
    var formatted: String { self == rounded() ? String(Int(self)) : String(self) }
}
