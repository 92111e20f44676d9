import ArgumentParser
import Models

/// What samples start from, if not from noise alone.
struct StartOptions: ParsableArguments {
    @Option(
        name: .customLong("init"),
        help: .init(
            "A picture (PNG or JPEG, as large as the samples) to start from: noised, it takes the last of the steps.",
            valueName: "file"))
    var picture: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            "How much of the K steps is run from --init, above 0, at most 1 (default: 0.8, with --mask 1).",
            valueName: "s"))
    var strength: Double?

    @Option(
        help: .init(
            "A picture as large as --init, white where it is made anew. Elsewhere the prediction is the picture itself at each step: exactly the law of that chain, not of the model given the kept pixels.",
            valueName: "file"))
    var mask: String?

    func validate() throws {
        if picture == nil, strength != nil || mask != nil {
            throw ValidationError("\(mask == nil ? "--strength" : "--mask") needs --init, the picture to start from.")
        }
        if let recipe { try checkingUsage(recipe.validate) }
    }

    var recipe: StartRecipe? {
        picture.map { StartRecipe(picture: $0, strength: strength ?? (mask == nil ? 0.8 : 1), mask: mask) }
    }
}
