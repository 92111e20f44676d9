import Foundation

/// Small JSON files from outside, read with errors that name file and key.
package enum JSONFile {
    /// Far above any description of a model (trained betas of a hundred thousand steps included).
    private static let largestSize = 4 << 20

    package static func decode<Value: Decodable>(_ type: Value.Type, path: String) throws(ModelError) -> Value {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard let attributes, attributes[.type] as? FileAttributeType == .typeRegular else {
            throw ModelError(path, expected: "a readable file", found: "none")
        }
        let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
        guard size <= largestSize else {
            throw ModelError(path, expected: "JSON of at most \(largestSize) bytes", found: "\(size) bytes")
        }
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw ModelError(path, expected: "a readable file", found: error.localizedDescription)
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw ModelError(
                path, key: name(context.codingPath + [key]), expected: "a value", found: "no such key")
        } catch DecodingError.typeMismatch(let wanted, let context) {
            throw ModelError(
                path, key: name(context.codingPath), expected: description(of: wanted), found: "another type")
        } catch DecodingError.valueNotFound(let wanted, let context) {
            throw ModelError(path, key: name(context.codingPath), expected: description(of: wanted), found: "null")
        } catch DecodingError.dataCorrupted(let context) {
            let detail = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"] as? String
            throw ModelError(
                path, key: name(context.codingPath), expected: "valid JSON",
                found: detail ?? context.debugDescription)
        } catch {
            throw ModelError(path, expected: "valid JSON", found: error.localizedDescription)
        }
    }

    /// Swift's types in JSON's words.
    private static func description(of type: any Any.Type) -> String {
        switch type {
        case is Int.Type: "an integer"
        case is Double.Type: "a number"
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is [String: Any].Type: "an object"
        default: "a list"
        }
    }

    /// A word of a closed vocabulary.
    static func value<Value: RawRepresentable<String> & CaseIterable>(
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
