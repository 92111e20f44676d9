#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Sinusoidal embedding of a number (diffusers `get_timestep_embedding`): cos and sin of t · 10000^(-i / (n - shift)).
struct SinusoidalEmbedding: Sendable {
    let channels: Int
    let cosineFirst: Bool
    /// One for each of n = channels / 2 frequencies, in the single precision in which PyTorch computes them.
    let frequencies: [Float]

    init(channels: Int, flipSinToCos: Bool, frequencyShift: Double) {
        self.channels = channels
        cosineFirst = flipSinToCos
        let half = channels / 2
        let divisor = Float(Double(half) - frequencyShift)
        frequencies = (0..<half).map { index in
            let exponent = Float(-log(10_000.0)) * Float(index) / divisor
            return Float(exp(Double(exponent)))
        }
    }

    /// The embedding of the policies of Chi et al.: sin, then cos, of t · 10000^(-i / (n - 1)).
    init(policyChannels channels: Int) {
        self.channels = channels
        cosineFirst = false
        let half = channels / 2
        // The factor is rounded before it is multiplied with i, as PyTorch does there.
        let factor = Float(log(10_000.0) / Double(half - 1))
        frequencies = (0..<half).map { Float(exp(Double(-factor * Float($0)))) }
    }

    /// `out` holds `channels` floats; an odd last one becomes zero.
    func callAsFunction(_ value: Float, into out: UnsafeMutablePointer<Float>) {
        let half = frequencies.count
        for (index, frequency) in frequencies.enumerated() {
            let angle = Double(value * frequency)
            out[index + (cosineFirst ? half : 0)] = Float(sin(angle))
            out[index + (cosineFirst ? 0 : half)] = Float(cos(angle))
        }
        if channels % 2 == 1 { out[channels - 1] = 0 }
    }

    /// The embeddings of several values, in rows of `paddedChannels(channels)` floats whose padding is not touched.
    func callAsFunction(_ values: some Sequence<Float>, into out: UnsafeMutablePointer<Float>) {
        let stride = paddedChannels(channels)
        for (row, value) in values.enumerated() { self(value, into: out + row * stride) }
    }
}
