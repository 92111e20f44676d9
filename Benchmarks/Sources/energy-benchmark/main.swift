import Couplings
import Diffusion

/// Gradients a second of the built-in energies, one core, batches as a window of 20 with 4 chains makes them.
func measure(_ name: String, _ energy: Energy) throws {
    let states = (0..<84).map { RandomSource(seed: 0).increment(sample: $0, step: 0, dimension: energy.dimension) }
    _ = try energy.gradients(states)
    var (count, checksum) = (0, 0.0)
    let start = ContinuousClock.now
    while ContinuousClock.now - start < .seconds(1) {
        for _ in 0..<100 { checksum += try energy.gradients(states)[0][0] }
        count += 100 * states.count
    }
    let elapsed = ContinuousClock.now - start
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    print("\(name)  \(Int(Double(count) / seconds)) gradients/s  (checksum \(checksum))")
}

try measure("phi4, 8x8", .phi4(side: 8, coupling: 100))
try measure("gaussian, d = 64", .gaussian(dimension: 64, condition: 100))
try measure("mixture of 16, d = 8", .mixture(GaussianMixture.randomComponents(count: 16, dimension: 8, seed: 0)))
if let table = LabelledTable.synthetic { try measure("logistic, 200 rows", .logisticRegression(table)) }
