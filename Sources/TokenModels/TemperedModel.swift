import FiniteAlphabets
import Foundation

/// A model with its laws sharpened or flattened: probabilities ∝ p^{1/T}.
public struct TemperedModel<Base: TokenModel>: TokenModel {
    private var base: Base
    public let temperature: Double

    /// - Throws: `TokenModelError.parameterOutOfRange` unless T is finite and above zero.
    public init(_ base: Base, temperature: Double) throws(TokenModelError) {
        try TokenTemperature.range.checkForModel(temperature)
        self.base = base
        self.temperature = temperature
    }

    public var vocabularySize: Int { base.vocabularySize }

    public mutating func nextDistribution(after context: [Int]) throws -> FiniteDistribution {
        let law = try base.nextDistribution(after: context)
        if temperature == 1 { return law }
        // Relative to the largest, so that low temperatures do not vanish altogether.
        let largest = law.probabilities.max() ?? 1
        return try FiniteDistribution(
            weights: law.probabilities.map { $0 > 0 ? exp(log($0 / largest) / temperature) : 0 }, name: "tempered law")
    }
}

/// The temperature of a token model's laws, apart from the model so that it can be asked for without one.
public enum TokenTemperature {
    public static let range = ParameterRange("the temperature", "a finite number above 0") { $0 > 0 && $0.isFinite }
}
