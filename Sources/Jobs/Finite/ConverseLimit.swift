import FiniteAlphabets
import Foundation
import Models
import Statistics

/// The minimax converse of a memoryless channel: no code of the length and error has more bits.
public struct ConverseLimit: RunResult {
    public enum Channel: Codable, Sendable {
        case binarySymmetric(crossover: Double)
        case binaryErasure(erasure: Double)
        /// A file with the rows W(·|x).
        case file(String)
    }

    /// What is given; the other is found out.
    public enum Question: Codable, Sendable {
        /// The error probability ε.
        case rate(atError: Double)
        /// The rate log₂ M.
        case error(atBits: Double)
    }

    let length: Int
    let error, converse_bits, gap, support_spread, zero_shortfall, quantile_loss: Double
    /// Q_X on the words of each type that have any.
    let input_law: [InputClass]
    /// z* on the words of each type where it is not zero.
    let thresholds: [OutputClass]

    struct InputClass: Encodable, Sendable {
        /// How often each input letter occurs; empty for all words, of a symmetric channel.
        let type: [Int]
        let probability: Double
    }

    struct OutputClass: Encodable, Sendable {
        /// How often each output letter occurs, or each set of letters that only differ in their order.
        let type: [Int]
        let log2_threshold: Double
    }

    /// Finds out what cannot be before any file is read.
    public static func check(_ channel: Channel, length: Int, question: Question) throws(RecipeError) {
        try MetaConverse.lengths.check(Double(length), setting: "length")
        switch channel {
        case .binarySymmetric(let crossover): try DiscreteChannel.crossovers.check(crossover, setting: "bsc")
        case .binaryErasure(let erasure): try DiscreteChannel.erasures.check(erasure, setting: "bec")
        case .file: break
        }
        switch question {
        case .rate(let error): try MetaConverse.errors.check(error, setting: "error")
        case .error(let bits): try MetaConverse.rates.check(bits, setting: "bits")
        }
    }

    public static func run(_ channel: Channel, length: Int, question: Question) throws -> ConverseLimit {
        try check(channel, length: length, question: question)
        let asked: MetaConverse.Question =
            switch question {
            case .rate(let error): .rate(atError: error)
            case .error(let bits): .error(atBits: bits)
            }
        let discrete =
            switch channel {
            case .binarySymmetric(let crossover): try DiscreteChannel.binarySymmetric(crossover: crossover)
            case .binaryErasure(let erasure): try DiscreteChannel.binaryErasure(erasure: erasure)
            case .file(let path): try LawFile.channel(path)
            }
        let saddle = try MetaConverse(discrete, length: length, question: asked, solver: PreferredSolver.make())
        return ConverseLimit(
            length: length, error: saddle.error, converse_bits: saddle.bits, gap: saddle.certificate.gap,
            support_spread: saddle.certificate.supportSpread, zero_shortfall: saddle.certificate.zeroShortfall,
            quantile_loss: saddle.certificate.quantileLoss,
            input_law: zip(saddle.inputTypes, saddle.inputLaw).filter { $1 > 0 }.map(InputClass.init),
            thresholds: zip(saddle.outputTypes, saddle.logThresholds).filter { $1 > -.infinity }.map {
                OutputClass(type: $0, log2_threshold: $1 / log(2))
            })
    }

    public var text: String {
        converse_bits.formatted(digits: 6) + String(format: " bits at error %.6g", error) + ", length \(length) "
            + String(format: "(certificate gap %.2g)", gap)
    }
}
