/// Orders of the tokens by likelihood ratio.
enum LikelihoodOrder {
    /// The tokens by decreasing numerator/denominator, those where both vanish last; a zero denominator
    /// alone makes the largest ratio there is. Ties keep the order of the tokens.
    static func decreasing(numerator: [Double], denominator: [Double]) -> [Int] {
        let (tokens, empty) = numerator.indices.reduce(into: ([Int](), [Int]())) { parts, token in
            if numerator[token] > 0 || denominator[token] > 0 { parts.0.append(token) } else { parts.1.append(token) }
        }
        let ratios = numerator.indices.map { numerator[$0] / denominator[$0] }
        return tokens.sorted { ratios[$0] != ratios[$1] ? ratios[$0] > ratios[$1] : $0 < $1 } + empty
    }
}
