import Models
import NeuralNetwork
import Platform

/// A recipe as a C program gives it.
enum RecipeText {
    /// In messages, in the place of a file's name.
    static let source = "recipe"

    /// The object of a text in JSON, without members that are null: that stands for what is not there.
    /// - Parameter keys: all that there may be.
    /// - Throws: `ModelError`, naming a key that is not among them.
    static func object(_ text: UnsafePointer<CChar>?, keys: [String]) throws(ModelError) -> JSON {
        guard let text else { throw ModelError(source, expected: "JSON", found: "a null pointer") }
        let json: JSON
        do { json = try JSON(parsing: UnsafeRawBufferPointer(start: text, count: strlen(text))) } catch {
            throw ModelError(source, expected: "valid JSON", found: "\(error)")
        }
        guard case .object(let members) = json else {
            throw ModelError(source, expected: "an object", found: String(json.description.prefix(80)))
        }
        if let other = members.first(where: { !keys.contains($0.key) }) {
            throw ModelError(
                source, key: other.key, expected: "one of \(keys.sorted().joined(separator: ", "))",
                found: "another key")
        }
        return .object(members.filter { $0.value != .null })
    }
}
