import Couplings
import Diffusion
import Foundation
import Imaging

/// The figures of DB25 (De Bortoli et al. 2025, *Accelerated Diffusion Models via Speculative Sampling*) that need no network:
/// 2, 4, 5 and 6, from the couplings and closed forms themselves.
///
///     paper-figures FOLDER

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: paper-figures FOLDER\n".utf8))
    exit(64)
}
let folder = CommandLine.arguments[1]

/// Points at equal distances, both ends included.
func grid(_ range: ClosedRange<Double>, count: Int = 400) -> [Double] {
    (0...count).map { range.lowerBound + (range.upperBound - range.lowerBound) * Double($0) / Double(count) }
}

/// One Gaussian proposal and its target on a line.
struct Pair {
    let draftMean: Double
    let targetMean: Double
    let standardDeviation: Double

    /// `δ`
    var distance: Double { abs(draftMean - targetMean) / standardDeviation }

    /// A draft `X`, and what a rule makes of it, `Y`.
    func draw(_ index: Int, rule: some VerificationRule, random: RandomSource) throws -> (
        draft: Double, verdict: Verdict
    ) {
        let noise = random.increment(sample: index, step: 0, dimension: 1)
        let proposal = GaussianProposal(
            draftMean: [draftMean], targetMean: [targetMean], standardDeviation: standardDeviation, noise: noise,
            state: [draftMean + standardDeviation * noise[0]])
        var stream = random.stream(sample: index, step: 0, purpose: .verification)
        return (proposal.state[0], try rule.verify(proposal, randomness: &stream))
    }
}

/// Fig. 2: the joint law of draft and result, by rejection from the residual (Algorithm 2) and by reflection (Algorithm 4). Those
/// accepted lie on the diagonal; reflection puts the others on the line `x + y = m^p + m^q`.
func jointLaw(_ rule: some VerificationRule, named name: String, file: String) throws {
    let pair = Pair(draftMean: 0.5, targetMean: 1.5, standardDeviation: 0.5)
    let random = RandomSource(seed: 0)
    let draws = try (0..<4000).map { try pair.draw($0, rule: rule, random: random) }
    func points(accepted: Bool) -> [(x: Double, y: Double)] {
        draws.filter { $0.verdict.isAccepted == accepted }.map { ($0.draft, $0.verdict.state[0]) }
    }
    let share = Double(points(accepted: true).count) / Double(draws.count)
    let error = (share * (1 - share) / Double(draws.count)).squareRoot()
    print(
        "\(name): accepted \(String(format: "%.3f ± %.3f", share, error)) of \(draws.count) drafts; maximal is "
            + String(format: "%.3f", maximalAcceptance(distance: pair.distance)))
    try Figure(
        "\(name), \(draws.count) draws", x: .init("draft X ~ N(0.5, 0.25)", range: -1.5...3.5),
        y: .init("result Y ~ N(1.5, 0.25)", range: -1...4),
        series: [
            .init(
                "accepted", points: points(accepted: true), mark: .dots(diameter: 5),
                paint: .series(0).weakened(to: 0.6)),
            .init(
                "rejected", points: points(accepted: false), mark: .dots(diameter: 5),
                paint: .series(1).weakened(to: 0.6)),
        ], shape: .square
    ).image(width: 640, height: 640).writePNG(to: folder + "/" + file)
}

/// Fig. 4: the least rejection of a draft whose noise has another deviation, by dimension (App. E).
func unequalVariances() throws {
    let law = UnequalVariances(0.2, 0.1)
    let points = (1...60).map { (x: Double($0), y: law.rejection(dimension: $0)) }
    try Figure(
        "Rejection of N(m, 0.2² I) for N(m, 0.1² I)", x: .init("dimension d", range: 0...60),
        y: .init("probability, (78)", range: 0...1),
        series: [.init("", points: points, mark: .line(.solid, nil), paint: .series(0))]
    ).image().writePNG(to: folder + "/figure4.png")
}

/// Fig. 5: the law of what Algorithm 7 puts out, by (98), and 200,000 draws of it as dots.
func temperatures() throws {
    let pair = Pair(draftMean: 1, targetMean: 3, standardDeviation: 0.5)
    let range = -1.0...5.0
    let (bins, count) = (60, 200_000)
    let width = (range.upperBound - range.lowerBound) / Double(bins)
    var series: [Figure.Series] = []
    let temperatures: [Double] = [0.5, 1, 2, 5, 10]
    for (index, temperature) in temperatures.enumerated() {
        let law = TemperatureLaw(distance: pair.distance, temperature: temperature)
        // Positions of the law are in deviations from the target's mean towards the draft's, which lies below it.
        let density = grid(range).map { y in
            let position = (pair.targetMean - y) / pair.standardDeviation
            return (x: y, y: law.density(at: position) / pair.standardDeviation)
        }
        let rule = ReflectionCoupling(temperature: temperature)
        let random = RandomSource(seed: UInt64(index))
        var counts = [Int](repeating: 0, count: bins)
        for draw in 0..<count {
            let result = try pair.draw(draw, rule: rule, random: random).verdict.state[0]
            let bin = Int(((result - range.lowerBound) / width).rounded(.down))
            if counts.indices.contains(bin) { counts[bin] += 1 }
        }
        let seen = counts.enumerated().map { bin, number in
            (x: range.lowerBound + (Double(bin) + 0.5) * width, y: Double(number) / (Double(count) * width))
        }
        series.append(
            .init(
                String(format: "τ = %g", temperature), points: density, mark: .line(.solid, nil), paint: .series(index))
        )
        let isLast = temperature == temperatures.last
        series.append(
            .init(
                isLast ? "200,000 draws each" : "", points: seen, mark: .dots(diameter: 4.5),
                paint: .ink.weakened(to: 0.75)))
    }
    try Figure(
        "Algorithm 7, draft N(1, 0.25), target N(3, 0.25)", x: .init("result Y", range: range),
        y: .init("density, (98)"), series: series
    ).image().writePNG(to: folder + "/figure5.png")
}

/// Fig. 6: Theorem H.9's weight of an error in the data's law.
func errorWeights() throws {
    let times = grid(0.05...0.999)
    func line(_ name: String, _ schedule: some NoiseSchedule, _ number: Int) -> Figure.Series {
        .init(
            name, points: times.map { ($0, ClosedForms.errorWeight(of: schedule, at: $0)) }, mark: .line(.solid, nil),
            paint: .series(number))
    }
    try Figure(
        "Weight A(t) of an error in the data's law", x: .init("noise time t", range: 0...1),
        y: .init("A(t), Theorem H.9", range: 0...60),
        series: [
            line("flow: α = 1 − t, σ = t", FlowSchedule(), 0),
            line("cosine: α = cos(πt/2), σ = sin(πt/2)", CosineSchedule(), 1),
        ]
    ).image().writePNG(to: folder + "/figure6.png")
}

do {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try jointLaw(RejectionCoupling(), named: "Algorithm 2", file: "figure2-rejection.png")
    try jointLaw(ReflectionCoupling(), named: "Algorithm 4", file: "figure2-reflection.png")
    try unequalVariances()
    try temperatures()
    try errorWeights()
    print("Figures 2, 4, 5 and 6 are in \(folder).")
} catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
}
