import Diffusion

/// A picture that samples start from, and of which they may keep a part.
///
/// A sample starts from the picture noised as far as the first of its steps is, `α x + σ z` (SDEdit, Meng et al. 2022): of K
/// steps only the last ones are run. Where pixels are kept, the prediction `x̂0` is the picture itself there, at every step:
/// the chain then treats them as the noised given ones (under DDPM steps with exactly the law of the forward process), and the
/// others see them through the network. That is a chain like any other, whose own law speculation keeps; it is **not** the
/// model's law given the kept pixels, which no such replacement has.
public struct StartingPicture: Sendable {
    /// `[channels, height, width]` of a sample: of a latent, where the model makes latents.
    let sample: [Double]
    /// Which numbers of a sample are kept; nil for none.
    let isKept: [Bool]?
    /// How much of the chain is run; above 0, at most 1.
    let strength: Double

    /// As many of the last steps as diffusers runs.
    func steps(of steps: [DenoisingStep]) throws(RecipeError) -> [DenoisingStep] {
        let count = StartRecipe.steps(of: steps.count, strength: strength)
        guard count > 0 else {
            throw RecipeError(
                "strength", "\(strength) leaves none of \(steps.count) steps; take more of either.")
        }
        return Array(steps.suffix(count))
    }
}

extension ImageModel {
    public static let strengths = "above 0, at most 1"

    /// The same model, whose samples start from a picture.
    /// - Parameters:
    ///   - picture: as it is shown, `[channels, height, width]`, between the ends of the process's range. A latent is made
    ///     of it by the mean of the autoencoder's posterior.
    ///   - strength: how much of the chain is run; above 0, at most 1.
    ///   - isKept: of each of its pixels, row by row; nil where none is kept. A pixel of a latent is kept where all
    ///     pixels are that it stands for.
    ///   - threads: cores to use, at least 1.
    /// - Throws: `RecipeError` for a strength out of range, a picture of another size, or nothing left to be made.
    public func starting(
        from picture: [Double], strength: Double, keeping isKept: [Bool]? = nil, threads: Int
    ) throws -> ImageModel {
        guard strength > 0, strength <= 1 else {
            throw RecipeError("strength", "must be \(Self.strengths), found \(strength).")
        }
        let (shown, own) = (shown, self.picture)
        guard picture.count == shown.size, isKept.map({ $0.count == shown.height * shown.width }) ?? true else {
            throw RecipeError("init", "must have \(shown.height)×\(shown.width) pixels, as the model's samples have.")
        }
        let factor = shown.height / own.height
        let kept = isKept.map { isKept in
            (0..<own.size).map { index in
                let pixel = index % (own.height * own.width)
                let (row, column) = (pixel / own.width * factor, pixel % own.width * factor)
                return (row..<row + factor).allSatisfy { y in
                    (column..<column + factor).allSatisfy { isKept[y * shown.width + $0] }
                }
            }
        }
        guard kept?.contains(false) ?? true else {
            throw RecipeError("mask", "keeps the whole picture; white is what is made anew.")
        }
        var model = self
        model.start = StartingPicture(
            sample: try decoder?.latent(of: picture, threads: threads) ?? picture, isKept: kept, strength: strength)
        return model
    }
}
