import NeuralNetwork
import Platform

/// Small JSON files from outside, read with errors that name file and key.
package enum JSONFile {
    /// Far above any description of a model (trained betas of a hundred thousand steps included).
    private static let largestSize = 4 << 20

    package static func decode<Value: Decodable>(_ type: Value.Type, path: String) throws(ModelError) -> Value {
        try decode(type, from: read(path: path), path: path)
    }

    /// The JSON value of a file.
    static func read(path: String) throws(ModelError) -> JSON {
        guard case .file(let size) = FileKind(path: path) else {
            throw ModelError(path, expected: "a readable file", found: "none")
        }
        guard size <= largestSize else {
            throw ModelError(path, expected: "JSON of at most \(largestSize) bytes", found: "\(size) bytes")
        }
        let data: [UInt8]
        do { data = try MappedFile.contents(of: path, atMost: largestSize) } catch {
            throw ModelError(path, expected: "a readable file", found: "one that \(error.message)")
        }
        do { return try JSON(parsing: data) } catch {
            throw ModelError(
                path, expected: "valid JSON",
                found: "an error at line \(error.line), column \(error.column): \(error.reason)")
        }
    }

    /// - Parameter path: of the file that the value came from.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from json: JSON, path: String
    ) throws(ModelError) -> Value {
        do {
            return try JSONDecoding(json).decode(type)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw ModelError(
                path, key: name(context.codingPath + [key]), expected: "a value", found: "no such key")
        } catch DecodingError.typeMismatch(let wanted, let context) {
            throw ModelError(
                path, key: name(context.codingPath), expected: description(of: wanted),
                found: String(context.debugDescription.prefix(80)))
        } catch DecodingError.valueNotFound(let wanted, let context) {
            throw ModelError(path, key: name(context.codingPath), expected: description(of: wanted), found: "null")
        } catch DecodingError.dataCorrupted(let context) {
            throw ModelError(
                path, key: name(context.codingPath), expected: "a usable value", found: context.debugDescription)
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError(path, expected: "usable values", found: "\(error)")
        }
    }

    /// Swift's types in JSON's words.
    private static func description(of type: any Any.Type) -> String {
        switch type {
        case is any FixedWidthInteger.Type: "an integer"
        case is Double.Type, is Float.Type: "a number"
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is [String: Any].Type: "an object"
        default: "a list"
        }
    }

    /// A word of a closed vocabulary.
    package static func value<Value: RawRepresentable<String> & CaseIterable>(
        _ text: String, key: String, file: String
    ) throws(ModelError) -> Value {
        guard let value = Value(rawValue: text) else {
            let known = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw ModelError(file, key: key, expected: "one of \(known)", found: "\"\(text)\"")
        }
        return value
    }

    private static func name(_ path: [any CodingKey]) -> String? {
        path.isEmpty ? nil : path.map(\.stringValue).joined(separator: ".")
    }
}
