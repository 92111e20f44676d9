import ArgumentParser
import Foundation
import Models

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

    static func drafts(_ text: String) throws -> [DraftRecipe] {
        try parse(text) { name in
            guard let draft = DraftRecipe(name) else {
                throw ValidationError("\"\(name)\" is no draft; they are \(DraftRecipe.names.joined(separator: ", ")).")
            }
            return draft
        }
    }

    static func windows(_ text: String) throws -> [WindowRecipe] { try parse(text) { try WindowRecipe($0) } }
}
