import Platform

/// The discrete schedule of a DDPM (Ho et al. 2020), given by its variances `β_0 … β_{T-1}` as diffusers names them.
///
/// As a continuous schedule `α_t = √ᾱ` is linear between the knots `t_i = (i + 1)/T`, with `α_0 = 1`.
public struct BetaSchedule: NoiseSchedule {
    /// The families of diffusers' `beta_schedule`.
    public enum Family: String, CaseIterable, Sendable {
        case linear
        case scaledLinear = "scaled_linear"
        case squaredCosine = "squaredcos_cap_v2"
        case sigmoid
        case laplace
    }

    /// `√ᾱ` at the knots: 1, then `√ᾱ_0 … √ᾱ_{T-1}`.
    private let signals: [Double]
    /// `σ² = 1 - ᾱ` at the same knots.
    private let variances: [Double]

    /// `T`
    public var trainingSteps: Int { signals.count - 1 }

    /// - Parameters:
    ///   - family: how the betas run between their ends.
    ///   - trainingSteps: `T`, 1 … 1,000,000.
    ///   - betaStart: the first beta of the families that have one.
    ///   - betaEnd: the last beta of the families that have one.
    ///   - zeroTerminalSignal: diffusers' `rescale_betas_zero_snr`.
    public init(
        family: Family, trainingSteps: Int, betaStart: Double = 1e-4, betaEnd: Double = 0.02,
        zeroTerminalSignal: Bool = false
    ) throws(DiffusionError) {
        guard (1...1_000_000).contains(trainingSteps) else {
            throw DiffusionError(
                "num_train_timesteps", expected: "a number from 1 to 1000000", found: "\(trainingSteps)")
        }
        func spaced(_ start: Double, _ end: Double) -> [Double] {
            (0..<trainingSteps).map { start + (end - start) * Double($0) / Double(max(1, trainingSteps - 1)) }
        }
        func discretized(_ cumulative: (Double) -> Double) -> [Double] {
            (0..<trainingSteps).map {
                let (now, next) = (Double($0) / Double(trainingSteps), Double($0 + 1) / Double(trainingSteps))
                return min(1 - cumulative(next) / cumulative(now), 0.999)
            }
        }
        let betas =
            switch family {
            case .linear: spaced(betaStart, betaEnd)
            case .scaledLinear: spaced(betaStart.squareRoot(), betaEnd.squareRoot()).map { $0 * $0 }
            case .squaredCosine: discretized { pow(cos(($0 + 0.008) / 1.008 * .pi / 2), 2) }
            case .sigmoid: spaced(-6, 6).map { (betaEnd - betaStart) / (1 + exp(-$0)) + betaStart }
            case .laplace:
                discretized {
                    let side = $0 > 0.5 ? -1.0 : 1.0
                    let ratio = exp(-0.5 * side * log(1 - 2 * abs(0.5 - $0) + 1e-6))
                    return (ratio / (1 + ratio)).squareRoot()
                }
            }
        try self.init(betas: betas, zeroTerminalSignal: zeroTerminalSignal)
    }

    /// diffusers' `trained_betas`.
    /// - Throws: `DiffusionError` unless every beta lies in [0, 1) and the first is positive.
    public init(betas: [Double], zeroTerminalSignal: Bool = false) throws(DiffusionError) {
        for (i, beta) in betas.enumerated() where !(beta >= 0 && beta < 1) || (i == 0 && beta == 0) {
            throw DiffusionError(
                "beta \(i) of the noise schedule", expected: "a number of [0, 1), the first above 0", found: "\(beta)",
                remedy: "check beta_start, beta_end or trained_betas")
        }
        guard !betas.isEmpty else {
            throw DiffusionError("trained_betas", expected: "at least one number", found: "none")
        }
        var products = [1.0]
        var logProduct = 0.0
        var complements = [0.0]
        for beta in betas {
            logProduct += log1p(-beta)
            products.append(exp(logProduct))
            complements.append(-expm1(logProduct))
        }
        if zeroTerminalSignal {
            // Lin et al. 2023, Algorithm 1. diffusers keeps the last ᾱ at 2⁻²⁴ rather than 0, so that it can be divided by.
            let (first, last) = (products[1].squareRoot(), products[betas.count].squareRoot())
            guard first > last else {
                throw DiffusionError(
                    "rescale_betas_zero_snr", expected: "a schedule of at least two steps", found: "\(betas.count)")
            }
            for i in 1...betas.count {
                let root = (products[i].squareRoot() - last) * first / (first - last)
                products[i] = max(root * root, 0x1p-24)
                complements[i] = 1 - products[i]
            }
        }
        signals = products.map { $0.squareRoot() }
        variances = complements
    }

    /// `ᾱ_i`, the squared signal after timestep `i` in -1 … T-1; `ᾱ_{-1} = 1`.
    public func cumulativeProduct(_ timestep: Int) -> Double { signals[timestep + 1] * signals[timestep + 1] }
    /// `1 - ᾱ_i`, to full relative precision.
    public func cumulativeVariance(_ timestep: Int) -> Double { variances[timestep + 1] }
    /// `t_i = (i + 1)/T`
    public func time(ofTimestep timestep: Int) -> Double { Double(timestep + 1) / Double(trainingSteps) }

    public var maximalTime: Double { 1 }

    /// The knots around `time`: `time = (lower + fraction)/T` with `fraction` in (0, 1]. At a knot it is the interval
    /// below that counts, for a reverse chain's step leads there.
    private func interval(at time: Double) -> (lower: Int, fraction: Double) {
        let position = time * Double(trainingSteps)
        let nearest = position.rounded()
        let exact = abs(position - nearest) < 1e-9 ? nearest : position  // t_i·T must give i + 1 again
        let lower = min(max(Int(exact.rounded(.up)) - 1, 0), trainingSteps - 1)
        return (lower, min(max(exact - Double(lower), 0), 1))
    }

    public func signal(at time: Double) -> Double {
        let (lower, fraction) = interval(at: time)
        return signals[lower] + fraction * (signals[lower + 1] - signals[lower])
    }

    public func noise(at time: Double) -> Double {
        let (lower, fraction) = interval(at: time)
        if fraction == 1 { return variances[lower + 1].squareRoot() }
        // 1 - α² = (1 - α)(1 + α), where 1 - α is interpolated from 1 - √ᾱ = (1 - ᾱ)/(1 + √ᾱ), free of cancellation.
        func complement(_ i: Int) -> Double { variances[i] / (1 + signals[i]) }
        let difference = complement(lower) + fraction * (complement(lower + 1) - complement(lower))
        return (difference * (2 - difference)).squareRoot()
    }

    public func signalDerivative(at time: Double) -> Double {
        let lower = interval(at: time).lower
        return (signals[lower + 1] - signals[lower]) * Double(trainingSteps)
    }

    public func noiseDerivative(at time: Double) -> Double {
        -signal(at: time) * signalDerivative(at: time) / noise(at: time)
    }
}
