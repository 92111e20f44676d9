/// The tensors of a network, in one safetensors file or spread over several.
public struct NetworkWeights: Sendable {
    /// What errors about the whole name: the file, or the index of several.
    package let path: String
    private let files: [SafetensorsFile]
    private let places: [String: Place]

    /// Where a tensor is.
    private struct Place {
        /// In which of the files.
        let file: Int
        /// What it is called there.
        let storedName: String
    }

    public init(_ file: SafetensorsFile) {
        path = file.path
        files = [file]
        places = Dictionary(uniqueKeysWithValues: file.tensorNames.map { ($0, Place(file: 0, storedName: $0)) })
    }

    private init(path: String, files: [SafetensorsFile], places: [String: Place]) {
        (self.path, self.files, self.places) = (path, files, places)
    }

    /// Some of the tensors under other names: a network that is one part of a larger one, or is written by another library.
    /// - Parameter name: what a tensor is to be called, by its name; nil for one that does not belong here.
    public func renamed(_ name: (String) -> String?) -> NetworkWeights {
        let pairs = places.compactMap { old, place in name(old).map { ($0, place) } }
        return NetworkWeights(
            path: path, files: files,
            places: Dictionary(pairs) { [$0, $1].min { $0.storedName < $1.storedName } ?? $0 })
    }

    /// Variants, before the suffix, that hold the same weights in another precision; others, such as `non_ema`, are other weights.
    private static let variants = ["fp16", "bf16", "fp32"]

    /// The weights in a folder, as diffusers' `save_pretrained` writes them: one file, or shards with an index, in full
    /// precision or else in half.
    /// - Parameters:
    ///   - folder: of the weights.
    ///   - name: of the file, without variant and suffix.
    /// - Throws: ``CheckpointError`` if there are none that can be read, saying what there is in their place and what to do.
    public init(folder: String, name: String) throws(CheckpointError) {
        let prefix = folder.hasSuffix("/") ? folder : "\(folder)/"
        func path(_ file: String) -> String? { MappedFile.exists(prefix + file) ? prefix + file : nil }

        for variant in [nil] + Self.variants {
            let infix = variant.map { ".\($0)" } ?? ""
            if let path = path("\(name)\(infix).safetensors") {
                self.init(try SafetensorsFile(path: path))
                return
            }
            let indices = [
                "\(name).safetensors.index\(infix).json", "\(name)\(infix).safetensors.index.json",
            ]
            if let path = indices.lazy.compactMap(path).first {
                try self.init(index: path, in: prefix)
                return
            }
        }
        let expected = prefix + name + ".safetensors"
        let pickled = ["\(name).bin", "\(name).fp16.bin", "\(name).bin.index.json", "pytorch_model.bin"]
        if let found = pickled.first(where: { path($0) != nil }) {
            throw CheckpointError(
                .inaccessible, file: expected,
                "is missing; there is \(found), which can run code of its own when it is read. Convert it: load it in "
                    + "diffusers and save it by save_pretrained(…, safe_serialization=True)")
        }
        let others = ["model.safetensors", "diffusion_pytorch_model.safetensors", "\(name).non_ema.safetensors"]
        if let found = others.first(where: { path($0) != nil }) {
            throw CheckpointError(
                .inaccessible, file: expected, "is missing; if \(found) holds the weights that are meant, rename it")
        }
        // The system says why it cannot be opened.
        self.init(try SafetensorsFile(path: expected))
    }

    /// Shards: `weight_map` of the index says in which file beside it each tensor is.
    private init(index path: String, in prefix: String) throws(CheckpointError) {
        let index = try ConfigurationReader(text: MappedFile.contents(of: path, atMost: 100_000_000), file: path)
        guard case .object(let members) = index.value("weight_map") else {
            throw CheckpointError(.malformed, file: path, subject: "key weight_map", "is not an object of file names")
        }
        var files: [SafetensorsFile] = []
        var positions: [String: Int] = [:]
        var places: [String: Place] = [:]
        for member in members {
            let tensor = "tensor \(CheckpointError.shortened(member.key))"
            guard let name = member.value.string, !name.isEmpty, !name.contains("/"), name != "..", name != "." else {
                throw CheckpointError(
                    .malformed, file: path, subject: tensor,
                    "has the place \(CheckpointError.shortened(member.value.description)); expected the name of a file "
                        + "beside the index")
            }
            let position: Int
            if let known = positions[name] {
                position = known
            } else {
                guard MappedFile.exists(prefix + name) else {
                    throw CheckpointError(
                        .inaccessible, file: path, subject: tensor,
                        "is in \(CheckpointError.shortened(name)), which is missing; download it too")
                }
                position = files.count
                positions[name] = position
                files.append(try SafetensorsFile(path: prefix + name))
            }
            guard files[position].shape(of: member.key) != nil else {
                throw CheckpointError(
                    .mismatch, file: files[position].path, subject: tensor, "is missing; the index says it is here")
            }
            places[member.key] = Place(file: position, storedName: member.key)
        }
        for (position, file) in files.enumerated() {
            if let stray = file.tensorNames.first(where: { places[$0]?.file != position }) {
                throw CheckpointError(
                    .mismatch, file: file.path, subject: "tensor \(CheckpointError.shortened(stray))",
                    "is not what \(path) says; the shards belong to another index")
            }
        }
        (self.path, self.files, self.places) = (path, files, places)
    }

    package var tensorNames: Set<String> { Set(places.keys) }

    /// The file that a tensor is in, for errors.
    func path(of name: String) -> String { places[name].map { files[$0.file].path } ?? path }
    /// What a tensor is called in its file.
    func storedName(of name: String) -> String { places[name]?.storedName ?? name }
    package func shape(of name: String) -> [Int]? { places[name].flatMap { files[$0.file].shape(of: $0.storedName) } }
    func dtype(of name: String) -> SafetensorsFile.DType? {
        places[name].flatMap { files[$0.file].dtype(of: $0.storedName) }
    }

    package func floats(named name: String) throws(CheckpointError) -> [Float] {
        guard let place = places[name] else {
            throw CheckpointError(
                .mismatch, file: path, subject: "tensor \(CheckpointError.shortened(name))", "is missing")
        }
        return try files[place.file].floats(named: place.storedName)
    }
}
