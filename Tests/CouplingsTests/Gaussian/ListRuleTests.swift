import Foundation
import Testing

@testable import Couplings

@Suite("Several drafts at a step")
struct ListRuleTests {
    static let rules: [(name: String, rule: any ListRule)] = [
        ("greedy", GreedyListCoupling()), ("rank", RankListCoupling()), ("nearest", NearestListCoupling()),
        ("contest", ContestListCoupling()), ("optimal", OptimalListCoupling()), ("main first", MainFirstCoupling()),
    ]

    /// `1 + min_t [Φ(t - δ) - Φ(t)ⁿ]` by trying, on a grid that is fine enough for six digits.
    static func bound(distance: Double, drafts: Int) -> Double {
        stride(from: -9.0, through: 9 + distance, by: 1e-3).reduce(1) { least, t in
            func cumulative(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
            return min(least, 1 + cumulative(t - distance) - pow(cumulative(t), Double(drafts)))
        }
    }

    /// No rule accepts more than the bound, none less than one draft would be; what a rule says that it accepts is the mass of
    /// what it says that accepted drafts make up, to the accuracy of a sum over 20,000 places of functions with kinks.
    @Test(arguments: [0.02, 0.2, 0.5, 1, 2, 4])
    func acceptancesAreConsistent(distance: Double) {
        for drafts in [1, 2, 3, 8] {
            let bound = Self.bound(distance: distance, drafts: drafts)
            #expect(
                abs(OptimalListCoupling.greatestAcceptance(distance: distance, drafts: drafts) - bound) < 1e-6)
            for (name, rule) in Self.rules {
                let coupling = rule.onLine(distance: distance, drafts: drafts)
                // Between 10⁻⁶ and 10⁻⁵ is what quadrature makes of the kinks.
                #expect(coupling.acceptance < bound + 1e-5, "\(name), \(drafts)")
                #expect(
                    coupling.acceptance > maximalAcceptance(distance: distance) - 1e-5 || name == "nearest",
                    "\(name), \(drafts)")
                let step = 1e-3
                let mass = stride(from: -10.0, through: distance + 10, by: step).reduce(0) { sum, t in
                    sum + step * coupling.acceptedShare(at: t) * exp(-(t - distance) * (t - distance) / 2)
                }
                #expect(
                    abs(mass / (2 * Double.pi).squareRoot() - coupling.acceptance) < 1e-4, "\(name), \(drafts)")
            }
        }
    }

    /// What the documentation says of the best rules.
    @Test func theBestRulesComeNearTheBound() {
        for distance in stride(from: 0.05, through: 4, by: 0.05) {
            let bound = OptimalListCoupling.greatestAcceptance(distance: distance, drafts: 2)
            let contest = ContestListCoupling().onLine(distance: distance, drafts: 2).acceptance
            #expect(bound - contest < 0.003, "\(distance)")
            if distance >= 0.85 {
                #expect(NearestLineCoupling(distance: distance, drafts: 2).isOptimal, "\(distance)")
            }
            // But for what quadrature makes of kinks.
            #expect(OptimalListCoupling().onLine(distance: distance, drafts: 2).acceptance > contest - 1e-5)
        }
    }

    /// The averages of `c(w₁, w₂)` that the sampler relies on are those of `c`, and keep to their bounds; within the error of a
    /// sum over 20,000 places.
    @Test(arguments: [true, false], [0.05, 0.3, 1, 3])
    func mainFirstKeepsToItsBounds(isProduct: Bool, distance: Double) {
        let coupling = MainFirstLineCoupling(distance: distance, isProduct: isProduct)
        let step = 1e-3
        for place in [0.01, 0.2, 0.7, 1.5, 3] {
            var (main, side) = (0.0, 0.0)
            for w in stride(from: step / 2, through: 12, by: step) {
                let (p1, p2) = (exp(-pow(w - distance / 2, 2) / 2), exp(-pow(w + distance / 2, 2) / 2))
                main += step * p2 * coupling.takeover(main: place, side: w) / (2 * Double.pi).squareRoot()
                side += step * p1 * coupling.takeover(main: w, side: place) / (2 * Double.pi).squareRoot()
            }
            #expect(abs(coupling.mainMean(place) - main) < 1e-3)
            #expect(abs(coupling.sideMean(place) - side) < 1e-3)
            #expect(coupling.mainMean(place) <= 1 - exp(-distance * place) + 1e-12)
            #expect(coupling.sideMean(place) <= exp(distance * place) - 1 + 1e-12)
        }
        #expect(coupling.rescued <= MainFirstCoupling.greatestRescue(distance: distance) + 1e-4)
    }

    /// At acceptance 0.89 the second draft rescues nine of ten rejections, where the greedy rule rescues four of ten.
    @Test func mainFirstRescuesMost() {
        let distance = 0.277
        let rejection = 1 - maximalAcceptance(distance: distance)
        func share(_ rule: some ListRule) -> Double {
            1 - (1 - rule.onLine(distance: distance, drafts: 2).acceptance) / rejection
        }
        #expect((0.90...0.92).contains(share(MainFirstCoupling())))
        #expect((0.36...0.38).contains(share(GreedyListCoupling())))
        let ceiling = MainFirstCoupling.greatestRescue(distance: distance) / rejection
        #expect(abs(share(MainFirstCoupling()) - ceiling) < 1e-3)
    }

    /// Means that coincide, are beyond all measure apart or are no numbers.
    @Test(arguments: [0, 1e-300, 1e-12, 300, 1e6, 1e300, Double.infinity, .nan])
    func extremesAreDecided(distance: Double) {
        let source = RandomSource(seed: 4)
        for (name, rule) in Self.rules {
            for drafts in [1, 2, 5] {
                let noises = (0..<drafts).map { source.increment(sample: drafts, step: $0, dimension: 3) }
                let mean = [distance, 0, 0]
                let proposal = GaussianListProposal(
                    draftMean: mean, targetMean: [0, 0, 0], standardDeviation: 1, noises: noises,
                    states: noises.map { zip(mean, $0).map { $0 + $1 } })
                var stream = source.stream(sample: drafts, step: 0, purpose: .verification)
                let verdict = rule.verify(proposal, randomness: &stream)
                #expect(verdict.state.allSatisfy { $0.isFinite }, "\(name)")
                #expect((0...1).contains(verdict.acceptance), "\(name)")
                // Where the means are close the nearest draft may be rejected, for it has been picked.
                guard name != "nearest" || distance > 1e-9 else { continue }
                #expect((verdict.accepted != nil) == (distance < 1e-9), "\(name), \(drafts)")
            }
        }
    }
}

@Suite("Monotone coupling of the residuals")
struct MonotoneResidualTests {
    /// `1 - G(v) = G(w)` is symmetric, so that the map is its own inverse, and falls. Where `G` is flat a number of sixteen digits
    /// says less about its argument: near 0, where `G(w) ≈ w²/2`, and in the far tail.
    @Test(arguments: [1e-9, 1e-3, 0.3, 0.99, 1.01, 3, 12])
    func theMapIsItsOwnInverse(distance: Double) {
        var last = Double.infinity
        for w in [0.05, 0.3, 1, 1.5, 2.5, 4].map({ $0 + max(0, distance / 2 - 2) }) {
            let v = MonotoneResidualCoupling.counterpart(of: w, distance: distance)
            #expect(v < last && v > 0)
            last = v
            #expect(abs(MonotoneResidualCoupling.counterpart(of: v, distance: distance) - w) < 1e-9 * (1 + w))
        }
    }

    /// Where the means are close `g` is Rayleigh's density, `w e^{-w²/2}`, and `v = √(-2 log(1 - e^{-w²/2}))`, but for terms of
    /// the order of `δ²`.
    @Test func closeMeansGiveRayleighsLaw() {
        for w in [1e-3, 0.1, 0.9, 1.1, 2, 5] {
            let v = MonotoneResidualCoupling.counterpart(of: w, distance: 1e-5)
            let expected = (-2 * log(-expm1(-w * w / 2))).squareRoot()
            #expect(abs(v - expected) < 1e-8 * (1 + expected), "\(w)")
        }
    }

    /// The means of the moves agree within 5 standard errors, their squares are less by more than 5: the reflection's are the
    /// greatest there can be, these the least.
    @Test func rejectedDraftsMoveLess() throws {
        let delta = [0.4, -0.3]
        func moves(_ rule: some VerificationRule) throws -> [Double] {
            try RuleTests.verdicts(delta: delta, rule: rule).filter { !$0.verdict.isAccepted }.map { pair in
                zip(pair.verdict.state, pair.proposal.state).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                    .squareRoot()
            }
        }
        let (reflected, moved) = (try moves(ReflectionCoupling()), try moves(MonotoneResidualCoupling()))
        func error(_ values: [Double]) -> Double {
            let mean = RuleTests.mean(values)
            return (RuleTests.mean(values.map { ($0 - mean) * ($0 - mean) }) / Double(values.count)).squareRoot()
        }
        #expect(reflected.count == moved.count)  // the same noise, the same decisions
        #expect(abs(RuleTests.mean(reflected) - RuleTests.mean(moved)) < 5 * (error(reflected) + error(moved)))
        let (squares, lesser) = (reflected.map { $0 * $0 }, moved.map { $0 * $0 })
        #expect(RuleTests.mean(squares) - RuleTests.mean(lesser) > 5 * (error(squares) + error(lesser)))
    }
}
