import ArgumentParser
import Foundation

/// Options that take several values, separated by commas.
enum ListArgument {
    static func parse<Value>(_ text: String, _ parse: (String) throws -> Value) throws -> [Value] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map {
            try parse($0.trimmingCharacters(in: .whitespaces))
        }
    }

    static func parse<Value: Comparable & ExpressibleByIntegerLiteral>(
        _ text: String, positive number: (String) -> Value?
    ) throws -> [Value] {
        try parse(text) { item in
            guard let value = number(item), value > 0, !"\(value)".contains("inf") else {
                throw ValidationError("expected positive numbers separated by commas, found \"\(item)\".")
            }
            return value
        }
    }
}

extension DraftOption {
    /// - Throws: `ValidationError` for an unknown name.
    init(listed name: String) throws {
        guard let draft = DraftOption(argument: name) else {
            throw ValidationError(
                "\"\(name)\" is no draft; they are \(DraftOption.allValueStrings.joined(separator: ", ")).")
        }
        self = draft
    }
}
