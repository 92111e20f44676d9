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
    try Plot(
        title: "\(name), \(draws.count) draws", xLabel: "draft X ~ N(0.5, 0.25)",
        yLabel: "result Y ~ N(1.5, 0.25)",
        series: [
            Plot.Series("accepted", points(accepted: true), style: .dots, colour: Colour.palette[0]),
            Plot.Series("rejected", points(accepted: false), style: .dots, colour: Colour.palette[1]),
        ], xRange: -1.5...3.5, yRange: -1...4
    ).image(width: 640, height: 640).writePNG(to: folder + "/" + file)
}

/// Fig. 4: the least rejection of a draft whose noise has another deviation, by dimension (App. E).
func unequalVariances() throws {
    let law = UnequalVariances(0.2, 0.1)
    let points = (1...60).map { (x: Double($0), y: law.rejection(dimension: $0)) }
    try Plot(
        title: "Rejection of N(m, 0.2^2 I) for N(m, 0.1^2 I)", xLabel: "dimension d", yLabel: "probability, (78)",
        series: [Plot.Series("", points, colour: Colour.palette[0])], xRange: 0...60, yRange: 0...1
    ).image().writePNG(to: folder + "/figure4.png")
}

/// Fig. 5: the law of what Algorithm 7 puts out, by (98), and 200,000 draws of it as dots.
func temperatures() throws {
    let pair = Pair(draftMean: 1, targetMean: 3, standardDeviation: 0.5)
    let range = -1.0...5.0
    let (bins, count) = (60, 200_000)
    let width = (range.upperBound - range.lowerBound) / Double(bins)
    var series: [Plot.Series] = []
    for (index, temperature) in [0.5, 1, 2, 5, 10].enumerated() {
        let colour = Colour.palette[index]
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
        series.append(Plot.Series(String(format: "temperature %g", temperature), density, colour: colour))
        series.append(Plot.Series("", seen, style: .dots, colour: .black))
    }
    // Room for the legend beside the curves.
    let shown = range.lowerBound...range.upperBound + 1.5
    try Plot(
        title: "Algorithm 7, draft N(1, 0.25), target N(3, 0.25)", xLabel: "result Y",
        yLabel: "density, (98)", series: series, xRange: shown
    ).image().writePNG(to: folder + "/figure5.png")
}

/// Fig. 6: Theorem H.9's weight of an error in the data's law.
func errorWeights() throws {
    let times = grid(0.05...0.999)
    func line(_ name: String, _ schedule: some NoiseSchedule, _ colour: Int) -> Plot.Series {
        Plot.Series(
            name, times.map { ($0, ClosedForms.errorWeight(of: schedule, at: $0)) }, colour: Colour.palette[colour])
    }
    try Plot(
        title: "Weight A(t) of an error in the data's law", xLabel: "noise time t", yLabel: "A(t), Theorem H.9",
        series: [
            line("flow: alpha = 1 - t, sigma = t", FlowSchedule(), 0),
            line("cosine: alpha = cos(pi t/2), sigma = sin(pi t/2)", CosineSchedule(), 1),
        ], xRange: 0...1, yRange: 0...60
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
