import Diffusion

/// How a network sees a variance-exploding process: nothing that goes in or out of it is much larger than 1 (Karras et al.
/// 2022 (7) and Table 1), `x̂0 = c_skip x + c_out F(c_in x, c_noise)`.
public struct NetworkScaling: Sendable {
    /// `σ_data > 0`
    public let dataDeviation: Double

    public init(dataDeviation: Double) { self.dataDeviation = dataDeviation }

    /// What a network may predict: `F` goes by `epsilon` in diffusers, and `-F` by `v_prediction`.
    static let predictions: [PredictionKind] = [.noise, .vPrediction]

    private func norm(_ sigma: Double) -> Double { (sigma * sigma + dataDeviation * dataDeviation).squareRoot() }

    /// `c_in = 1/√(σ² + σ_data²)`
    func input(noise sigma: Double) -> Double { 1 / norm(sigma) }

    /// `c_skip = σ_data²/(σ² + σ_data²)` and `c_out = ± σ σ_data/√(σ² + σ_data²)`
    func output(noise sigma: Double, of prediction: PredictionKind) -> (state: Double, output: Double) {
        let norm = norm(sigma)
        let output = sigma * dataDeviation / norm
        return (dataDeviation * dataDeviation / (norm * norm), prediction == .vPrediction ? -output : output)
    }
}
