import Platform

/// The models that come with diffspec, in its `weights` folder.
public enum BundledModels {
    /// Overrides where the folder is looked for.
    public static let environmentVariable = "DIFFSPEC_WEIGHTS"
    public static let defaultModel = "fashion-mnist"

    /// Where the `weights` folder may be: named by the environment, in a folder above the running program, or where
    /// this package was compiled, so that neither the working directory nor a moved build folder matters.
    static var candidates: [URL] {
        var candidates: [URL] = []
        if let folder = ProcessInfo.processInfo.environment[environmentVariable] {
            candidates.append(URL(fileURLWithPath: folder))
        }
        if let program {
            var folder = program.deletingLastPathComponent()
            while folder.path != "/" {
                candidates.append(folder.appendingPathComponent("weights"))
                candidates.append(folder.appendingPathComponent("share/diffspec/weights"))
                folder.deleteLastPathComponent()
            }
        }
        var package = URL(fileURLWithPath: #filePath)  // Sources/Models/Folders/BundledModels.swift
        for _ in 0..<4 { package.deleteLastPathComponent() }
        candidates.append(package.appendingPathComponent("weights"))
        return candidates
    }

    /// The running program's file.
    private static var program: URL? {
        #if os(Linux)
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
                .map { URL(fileURLWithPath: $0) }
        #else
            Bundle.main.executableURL?.resolvingSymlinksInPath()
        #endif
    }

    /// Names of the models found, in order.
    public static var names: [String] {
        var names: Set<String> = []
        for folder in candidates {
            let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            names.formUnion(entries.filter { isModel(folder.appendingPathComponent($0)) })
        }
        return names.sorted()
    }

    /// What a network that goes with a model is called: the model's own name, or folder, with a suffix.
    public static func companion(of model: String, _ suffix: String) -> String {
        var name = model
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        return name + suffix
    }

    /// The folder of a model given by path or by the name of a bundled one. A folder without a model that happens to have
    /// a bundled one's name, like `examples/pusht`, does not hide that model.
    public static func folder(_ model: String) throws(ModelError) -> String {
        if !model.isEmpty, isModel(URL(fileURLWithPath: model)) { return model }
        if !model.contains("/"), model != "..", !model.isEmpty {
            for candidate in candidates {
                let folder = candidate.appendingPathComponent(model)
                if isModel(folder) { return folder.path }
            }
        }
        if FileKind(path: model) == .folder { return model }
        let bundled =
            names.isEmpty ? "none, set \(environmentVariable) to the weights folder" : names.joined(separator: ", ")
        throw ModelError(
            model, expected: "a model folder or the name of a bundled model", found: "neither",
            remedy: "bundled models: \(bundled)")
    }

    private static func isModel(_ folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: ModelFolder.configuration(of: folder.path))
    }
}
