import Models

/// What is in a model folder, or said in a picture.
public struct InspectionResult: RunResult {
    private let inspection: any Inspection

    /// - Parameter model: a folder, a bundled model's name, or a PNG file.
    public init(_ model: String) throws {
        if model.lowercased().hasSuffix(".png") {
            inspection = try PictureInspection(of: model)
            return
        }
        let folder = try BundledModels.folder(model)
        inspection = try ComponentNetworks.inspection(of: model, folder: folder)
    }

    public var text: String { inspection.text }
    public func encode(to encoder: any Encoder) throws { try inspection.encode(to: encoder) }
}

/// The bundled models.
public struct ModelList: RunResult {
    struct Entry: Encodable {
        let name: String
        let summary: String
        /// The subcommand that samples it.
        let command: String
    }

    let models: [Entry]

    /// - Throws: `ModelError` where there are none.
    public init() throws {
        let names = BundledModels.names
        guard !names.isEmpty else {
            throw ModelError(
                "weights", expected: "the folder of bundled models", found: "none above the program",
                remedy: "set \(BundledModels.environmentVariable) to it")
        }
        models = try names.map { name in
            let type = try ModelKind.of(folder: BundledModels.folder(name))
            return Entry(name: name, summary: try type.summary(folder: name), command: type.kind.command)
        }
    }

    public var text: String { models.map { "\($0.name)  \($0.summary)" }.joined(separator: "\n") }
}
