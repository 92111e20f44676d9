import Couplings
import Foundation
import Testing

@Suite("Verification rules")
struct RuleTests {
    static let count = 100_000

    /// One verified proposal each, in the dimension of `Δ`, with `s = 0.5` and the target's mean at 0.
    static func verdicts(
        delta: [Double], rule: some VerificationRule, seed: UInt64 = 2, count: Int = count
    ) throws -> [(proposal: GaussianProposal, verdict: Verdict)] {
        let (source, s) = (RandomSource(seed: seed), 0.5)
        let (draftMean, targetMean) = (delta.map { s * $0 }, delta.map { _ in 0.0 })
        return try (0..<count).map { i in
            let noise = source.increment(sample: i, step: 0, dimension: delta.count)
            let proposal = GaussianProposal(
                draftMean: draftMean, targetMean: targetMean, standardDeviation: s, noise: noise,
                state: zip(draftMean, noise).map { $0 + s * $1 })
            var stream = source.stream(sample: i, step: 0, purpose: .verification)
            return (proposal, try rule.verify(proposal, randomness: &stream))
        }
    }

    static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// A mean that is no number, or infinitely far away, is no reason to accept: the target's own draw comes out.
    @Test(arguments: [Double.nan, .infinity, 1e300])
    func whatIsNotFiniteIsRejected(distance: Double) throws {
        let rules: [any VerificationRule] = [
            ReflectionCoupling(), ReflectionCoupling(temperature: 2), RejectionCoupling(), MonotoneResidualCoupling(),
            TypicalAcceptance(densityThreshold: .infinity, entropyThreshold: 1),
            ProjectionCoupling(try PoolingProjector(channels: 1, height: 2, width: 1, factor: 1)),
            AutoencoderCoupling { $0 },
        ]
        for rule in rules {
            for (proposal, verdict) in try Self.verdicts(delta: [distance, 0], rule: rule, count: 20) {
                #expect(!verdict.isAccepted && verdict.acceptance == 0 && !verdict.distance.isNaN)
                #expect(verdict.state == proposal.noise.map { 0.5 * $0 }, "\(rule)")
            }
        }
    }

    // MARK: Algorithm 7

    /// Proposition F.1 in one dimension, and the rate of acceptance: both within 5 standard errors. Y lies between
    /// m^q ± s Z and m^p + s Z, so that s (1 + δ) bounds its deviation. The controls: at τ ≠ 1 the mean is not the target's.
    @Test(arguments: [(0.5, 1.2), (2.0, 0.4), (2.0, 1.2), (5.0, 2.5), (1.0, 1.2)])
    func temperatureMovesTheMeanAlongTheMeansDifference(temperature: Double, distance: Double) throws {
        let rule = ReflectionCoupling(temperature: temperature)
        let verdicts = try Self.verdicts(delta: [distance], rule: rule).map(\.verdict)
        let (n, s) = (Double(Self.count), 0.5)
        let error = 5 * s * (1 + distance) / n.squareRoot()
        let shift = rule.meanShift(distance: distance) * s * distance
        let average = Self.mean(verdicts.map { $0.state[0] })
        #expect(abs(average - shift) < error)
        #expect(temperature == 1 || abs(average) > error)
        #expect(temperature >= 1 ? shift >= 0 : shift < 0)

        let rate = Double(verdicts.count { $0.isAccepted }) / n
        let expected = rule.acceptance(distance: distance)
        #expect(abs(rate - expected) < 5 * (expected * (1 - expected) / n).squareRoot())
        #expect(abs(verdicts[0].acceptance - expected) < 1e-12)
    }

    /// The closed forms survive distances and temperatures whose exponentials don't, and meet their limits.
    @Test func temperatureAtItsExtremes() {
        for temperature in [1e-3, 0.1, 1, 10, 1e3, 1e9] {
            let rule = ReflectionCoupling(temperature: temperature)
            for distance in [0, 1e-12, 1, 18, 300, 1e6] {
                let (acceptance, shift) = (rule.acceptance(distance: distance), rule.meanShift(distance: distance))
                // E[Y - m^q]/s is E[a (2Z + δ)], with 0 ≤ a ≤ 1.
                #expect(
                    (0...1).contains(acceptance) && abs(shift * distance) <= 1 + distance, "\(temperature), \(distance)"
                )
            }
        }
        #expect(abs(ReflectionCoupling(temperature: 1e9).meanShift(distance: 2) - 1) < 1e-6)
        #expect(abs(ReflectionCoupling(temperature: 1 + 1e-9).meanShift(distance: 2)) < 1e-8)
    }

    // MARK: Algorithm 2

    /// The same acceptance and law as Algorithm 4: mean and variance along Δ and across it within 5 standard errors, and
    /// one extra draw a step on average, whatever the distance; its variance is 2 (1 - p)/p at p = ‖p - q‖_TV.
    @Test(arguments: [0.1, 1.0, 3.0])
    func rejectionIsExactAtOneDrawAStep(distance: Double) throws {
        let rule = RejectionCoupling()
        let verdicts = try Self.verdicts(delta: [distance * 0.6, distance * 0.8], rule: rule).map(\.verdict)
        let (n, s) = (Double(Self.count), 0.5)
        let rejection = 1 - maximalAcceptance(distance: distance)
        let rate = Double(verdicts.count { !$0.isAccepted }) / n
        #expect(abs(rate - rejection) < 5 * (rejection * (1 - rejection) / n).squareRoot())
        for direction in [[0.6, 0.8], [-0.8, 0.6]] {
            let values = verdicts.map { $0.state[0] * direction[0] + $0.state[1] * direction[1] }
            let average = Self.mean(values)
            #expect(abs(average) < 5 * s / n.squareRoot())
            let variance = Self.mean(values.map { ($0 - average) * ($0 - average) })
            #expect(abs(variance - s * s) < 5 * s * s * (2 / n).squareRoot())
        }
        let draws = Self.mean(verdicts.map { Double($0.extraDraws) })
        #expect(abs(draws - 1) < 5 * (2 * (1 - rejection) / rejection / n).squareRoot())
        #expect(verdicts.allSatisfy { $0.isAccepted == ($0.extraDraws == 0) })
        #expect(rule.isExact)
    }

    // MARK: Typical acceptance

    /// Against (148) written out with densities, in two dimensions.
    @Test(arguments: [(0.2, 1.0), (0.05, 0.5), (Double.infinity, 0.3), (1.0, Double.infinity)])
    func typicalAcceptanceIsItsFormula(density: Double, entropy: Double) throws {
        let rule = TypicalAcceptance(densityThreshold: density, entropyThreshold: entropy)
        let s = 0.5
        let results = try Self.verdicts(delta: [1.5, -0.5], rule: rule, count: 20_000)
        for (proposal, verdict) in results {
            let q = exp(-(proposal.state.reduce(0) { $0 + $1 * $1 }) / (2 * s * s)) / (2 * .pi * s * s)
            let entropyOfTarget = 1 + log(2 * .pi) + 2 * log(s)
            let expected = min(1, max(q / density, q * exp(entropyOfTarget) / entropy))
            #expect(abs(verdict.acceptance - expected) < 1e-9)
        }
        // Given the noise a flag is a coin of this probability, of variance at most ¼.
        let excess = Self.mean(results.map { ($0.verdict.isAccepted ? 1 : 0) - $0.verdict.acceptance })
        #expect(abs(excess) < 5 * 0.5 / Double(results.count).squareRoot())
        #expect(!rule.isExact)
        // Equal means can be rejected too; the repair is then the proposal's own noise.
        let equal = try Self.verdicts(delta: [0, 0], rule: rule, count: 1000)
        #expect(equal.allSatisfy { $0.verdict.state.allSatisfy(\.isFinite) && $0.verdict.state == $0.proposal.state })
    }

    // MARK: Algorithms 9 and 10

    /// What the operator sees has the target's law and is accepted as often as a maximal coupling of it can be; what it
    /// doesn't see has the target's mean, but spreads too wide.
    @Test func projectionIsExactInWhatItSees() throws {
        let projector = try RowSpaceProjector(matrix: [1, 1, 0, 2, 0, 2], columns: 3)
        let rule = ProjectionCoupling(projector)
        let delta = [1.0, 0.5, -1.5]
        let results = try Self.verdicts(delta: delta, rule: rule).map(\.verdict)
        let (n, s) = (Double(Self.count), 0.5)
        for row in projector.basis {
            let values = results.map { zip($0.state, row).reduce(0) { $0 + $1.0 * $1.1 } }
            let average = Self.mean(values)
            #expect(abs(average) < 5 * s / n.squareRoot())
            let variance = Self.mean(values.map { ($0 - average) * ($0 - average) })
            #expect(abs(variance - s * s) < 5 * s * s * (2 / n).squareRoot())
        }
        let visible = projector.project(delta).reduce(0) { $0 + $1 * $1 }.squareRoot()
        let expected = maximalAcceptance(distance: visible)
        let rate = Double(results.count { $0.isAccepted }) / n
        #expect(abs(rate - expected) < 5 * (expected * (1 - expected) / n).squareRoot())
        let hidden = zip(delta, projector.project(delta)).map { $0 - $1 }
        let length = hidden.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let unseen = results.map { zip($0.state, hidden).reduce(0) { $0 + $1.0 * $1.1 } / length }
        let (average, square) = (Self.mean(unseen), Self.mean(unseen.map { $0 * $0 }))
        #expect(abs(average) < 5 * (square / n).squareRoot())
        #expect(square - s * s > 20 * s * s * (2 / n).squareRoot())
        #expect(!rule.isExact)
    }

    /// For an invertible operator it is Algorithm 4, decision by decision; and Algorithm 10 with a linear autoencoder is
    /// Algorithm 9.
    @Test func projectionsMeetTheirSpecialCases() throws {
        let delta = [0.8, -0.3, 0.5]
        let invertible = ProjectionCoupling(
            try RowSpaceProjector(matrix: [2, 1, 0, 0, 3, 1, 1, 0, 1e-3], columns: 3))
        #expect(invertible.isExact)
        let projector = try RowSpaceProjector(matrix: [1, 1, 0, 2, 0, 2], columns: 3)
        let autoencoder = AutoencoderCoupling(
            encoder: { state in projector.basis.map { row in zip(row, state).reduce(0) { $0 + $1.0 * $1.1 } } },
            decoder: { code in
                (0..<3).map { j in zip(projector.basis, code).reduce(0) { $0 + $1.0[j] * $1.1 } }
            })
        let pairs: [(any VerificationRule, any VerificationRule)] = [
            (invertible, ReflectionCoupling()), (autoencoder, ProjectionCoupling(projector)),
        ]
        for (first, second) in pairs {
            let (a, b) = (
                try Self.verdicts(delta: delta, rule: first, count: 2000),
                try Self.verdicts(delta: delta, rule: second, count: 2000)
            )
            for (x, y) in zip(a, b) {
                #expect(x.verdict.isAccepted == y.verdict.isAccepted)
                #expect(zip(x.verdict.state, y.verdict.state).allSatisfy { abs($0 - $1) < 1e-9 })
                #expect(abs(x.verdict.acceptance - y.verdict.acceptance) < 1e-9)
            }
        }
        // An autoencoder that turns differences round says nothing, and the rule is Algorithm 4.
        let contrary = AutoencoderCoupling { state in state.map { -$0 } }
        let exact = try Self.verdicts(delta: delta, rule: ReflectionCoupling(), count: 500)
        for (x, y) in zip(try Self.verdicts(delta: delta, rule: contrary, count: 500), exact) {
            #expect(x.verdict.state == y.verdict.state)
        }
    }

    /// P² = P = Pᵀ, A P = A, and the rank, for matrices with dependent, tiny and huge rows.
    @Test(
        arguments: [
            ([1.0, 2, 3, 4], 1, 4), ([1, 0, 0, 0, 1, 0, 1, 1, 0], 2, 3), ([1e200, 0, 0, 1e-10, 1e200, 1e200], 2, 2),
            ([1, 1, 1, 1, 1, 1 + 1e-9], 2, 3), ([1, 1, 1, 1, 1, 1], 1, 3),
            ([3, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 1], 3, 3),
        ] as [([Double], Int, Int)])
    func projectorsOfMatrices(matrix: [Double], rank: Int, columns: Int) throws {
        let projector = try RowSpaceProjector(matrix: matrix, columns: columns)
        #expect(projector.rank == rank && projector.dimension == columns)
        let scale = matrix.map(\.magnitude).max() ?? 1
        for start in stride(from: 0, to: matrix.count, by: columns) {
            let row = Array(matrix[start..<start + columns])
            #expect(zip(projector.project(row), row).allSatisfy { abs($0 - $1) <= 1e-13 * scale })
        }
        try Self.expectProjector(projector)
    }

    static func expectProjector(_ projector: some OrthogonalProjector) throws {
        let source = RandomSource(seed: 5)
        let (x, y) = (
            source.increment(sample: 0, step: 0, dimension: projector.dimension),
            source.increment(sample: 1, step: 0, dimension: projector.dimension)
        )
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let (px, py) = (projector.project(x), projector.project(y))
        #expect(zip(projector.project(px), px).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(abs(dot(px, y) - dot(x, py)) < 1e-12 * Double(projector.dimension))
    }

    @Test(arguments: [(1, 4, 6, 2, 6), (3, 5, 4, 2, 18), (1, 3, 3, 7, 1), (2, 3, 4, 1, 24)])
    func projectorsOfPooling(channels: Int, height: Int, width: Int, factor: Int, rank: Int) throws {
        let projector = try PoolingProjector(channels: channels, height: height, width: width, factor: factor)
        #expect(projector.rank == rank)
        #expect(ProjectionCoupling(projector).isExact == (factor == 1))
        try Self.expectProjector(projector)
        // A constant image is seen whole.
        let ones = [Double](repeating: 1, count: projector.dimension)
        #expect(projector.project(ones) == ones)
    }

    @Test func whatCannotBeProjectedOnIsRefused() {
        let cases: [([Double], Int)] = [
            ([], 3), ([1, 2], 3), ([0, 0, 0], 3), ([1, .nan, 0], 3), ([1, .infinity], 2), ([1], 0),
        ]
        for (matrix, columns) in cases {
            #expect(throws: ProjectorError.self) { try RowSpaceProjector(matrix: matrix, columns: columns) }
        }
        #expect(throws: ProjectorError.self) { try PoolingProjector(channels: 1, height: 2, width: 2, factor: 0) }
    }
}
