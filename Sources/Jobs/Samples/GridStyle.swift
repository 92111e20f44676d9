import Imaging
import Models
import Reports

/// How the picture of a run's samples is laid out, and what its file says about it.
public struct GridStyle: Sendable {
    /// How many times the samples are enlarged, 1 … 64; nil for as many as bring them to about 96 pixels.
    public var scale: Int?
    /// Whether each class has a column, with its name above.
    public var isLabelled = false
    /// The command that makes so many samples of a recipe, as a shell reads it; nil for none.
    public var command: (@Sendable (SamplingRecipe, Int) -> String)?

    /// More columns than this make a picture that nobody can look at.
    static let mostColumns = 40

    public init() {}

    /// - Throws: `RecipeError` for a scale out of range.
    public func validate() throws(RecipeError) {
        guard (1...64).contains(scale ?? 1) else {
            throw RecipeError("scale", "must be from 1 to 64, found \(scale ?? 1).")
        }
    }

    /// What stands over the columns.
    /// - Throws: `RecipeError` where there can be no column for each class.
    func labels(of model: ImageModel, _ recipe: SamplingRecipe) throws(RecipeError) -> [String] {
        guard isLabelled else { return [] }
        let labels = recipe.model.prompts == nil ? try model.labels(of: recipe.classes) : []
        guard (1...Self.mostColumns).contains(labels.count) else {
            throw RecipeError(
                "labels",
                labels.isEmpty
                    ? "needs a model with classes."
                    : "makes a column for each class, \(Self.mostColumns) at most; name some of the \(labels.count) by --class."
            )
        }
        return labels.map { model.className($0) ?? "class \($0)" }
    }

    /// - Parameters:
    ///   - pictures: in order; of one size.
    ///   - labels: over the columns, which the pictures cycle through; none for none.
    ///   - path: of the PNG.
    ///   - recipe: of the samples.
    ///   - report: of the run.
    /// - Throws: `ImagingError`
    func write(
        _ pictures: [Image], labels: [String] = [], to path: String, of recipe: SamplingRecipe, _ report: Report
    ) throws {
        try picture(of: pictures, labels: labels)?.writePNG(to: path, texts: texts(recipe, report))
    }

    /// The pictures alone, while the run goes on.
    func write(_ pictures: [Image], to path: String) throws {
        try picture(of: pictures, labels: [])?.writePNG(to: path)
    }

    /// - Returns: nil if there are no pictures.
    func picture(of pictures: [Image], labels: [String]) -> Image? {
        guard let first = pictures.first else { return nil }
        let scale = scale ?? Image.visibleScale(width: first.width, height: first.height)
        return Image.grid(pictures, scale: scale, labels: labels)
    }

    /// More pictures make a page slow to load.
    private static let mostOnPage = 64

    /// The first pictures, for a page.
    func content(_ pictures: [Image], labels: [String] = [], of recipe: SamplingRecipe) -> Page.Content? {
        let rows = Self.mostOnPage / max(1, labels.count)
        let shown = labels.isEmpty ? Self.mostOnPage : max(1, rows) * labels.count
        return picture(of: Array(pictures.prefix(shown)), labels: labels).map {
            .picture($0, description: "Samples of \(recipe.model.name)")
        }
    }

    func texts(_ recipe: SamplingRecipe, _ report: Report) -> [PNGText] {
        let texts: [(keyword: String, text: String?)] = [
            ("Software", "diffspec \(report.versions.diffspec)"), ("model", report.model), ("seed", "\(report.seed)"),
            ("steps", "\(report.steps)"), ("draft", report.draft),
            ("window", recipe.speculation.draft == .none ? nil : report.window.name),
            ("churn", "\(report.churn)"), ("exact", "\(report.exact)"), ("command", command?(recipe, report.count)),
        ]
        return texts.compactMap { keyword, text in text.map { PNGText(keyword, $0) } }
    }
}
