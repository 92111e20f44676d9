import Models

/// Samples to be made: by what recipe, how many, and where the results go.
public struct SampleRequest: Sendable {
    public var recipe: SamplingRecipe
    public var count = 16
    /// Samples under way at a time: bounds memory, and changes no result but `WindowRecipe.auto`'s.
    public var batch = 16
    /// Cores to use; changes no result.
    public var threads = Processors.available
    /// Which part of the samples.
    public var shard = Shard.whole
    /// Whether a job that was begun in the folder of samples is resumed.
    public var resumes = false

    /// The picture of the first samples; nil for none.
    public var grid: String?
    /// Whether the pictures of the first samples are kept for a page, whatever else is written.
    public var keepsPictures = false
    /// How it is laid out, and what its file says about it.
    public var gridStyle = GridStyle()
    /// Rounds from one preview of the picture to the next; nil for none.
    public var previewRounds: Int?
    /// File for an animated PNG of how the first samples come about; nil for none.
    public var animation: String?
    /// Folder for one PNG a sample, with the job's manifest.
    public var folder: String?
    /// File for the raw samples, safetensors.
    public var tensors: String?

    public init(_ recipe: SamplingRecipe) { self.recipe = recipe }

    /// Where previews are written: beside the picture, `samples.preview.png`.
    public var preview: String? {
        guard previewRounds != nil, let grid else { return nil }
        return (grid.hasSuffix(".png") ? String(grid.dropLast(4)) : grid) + ".preview.png"
    }

    var keepsGrid: Bool { grid != nil || keepsPictures }

    /// Samples whose rows share a call.
    public var lanes: Int { min(batch, count) }

    public func validate() throws(RecipeError) {
        try recipe.chain.validate()
        try recipe.speculation.validate(for: recipe.chain)
        try recipe.start?.validate()
        guard (1...10_000_000).contains(count) else {
            throw RecipeError("count", "must be from 1 to 10000000, found \(count).")
        }
        guard (1...4096).contains(batch) else {
            throw RecipeError("batch", "must be from 1 to 4096, found \(batch).")
        }
        guard (1...1024).contains(threads) else {
            throw RecipeError("threads", "must be from 1 to 1024, found \(threads).")
        }
        guard folder != nil || shard == .whole && !resumes else {
            throw RecipeError(
                resumes ? "resume" : "shard", "needs --samples, the folder in which the job keeps its state.")
        }
        if let previewRounds {
            guard previewRounds >= 1 else {
                throw RecipeError("preview", "must be at least 1 round, found \(previewRounds).")
            }
            guard grid != nil else { throw RecipeError("preview", "needs --out, the picture that it is a preview of.") }
        }
        if animation != nil, shard != .whole {
            throw RecipeError("animate", "shows a whole run: leave --shard away.")
        }
        try gridStyle.validate()
        if shard.count > count {
            throw RecipeError("shard", "\(shard): there are only \(count) samples to share out.")
        }
    }

    /// Rows of the largest call, but no more than a broadcast of 64 MiB takes.
    func largestCall(for model: ImageModel) -> Int {
        let most = max(1, (64 << 20) / (8 * model.picture.size))
        let window = recipe.speculation.window.longest(steps: recipe.chain.steps)
        return min(lanes * (window + 1) * (recipe.chain.guidance == 0 ? 1 : 2), most)
    }
}
