// The exact rules side by side:
//
//   field rules                                 acceptance, rescued rejections and displacement, by distance
//   field calls MODEL [--count 24] [--churn ε]  calls and rows of a model's samples by rule and verification
//   field comb MODEL [--count 24] [--churn ε]   the same with side branches, a prototype
//   field table OUT_DIR [--share S]             every method on every model: calls, windows, rows, seconds and their pictures
//
// MODEL is a folder of an image model, a bundled model's name, or mixture; 100 steps, seed 1. Results: results/field.md.
import Couplings
import Diffusion
import Foundation
import Models

func option(_ name: String, _ standard: Double) -> Double {
    guard let index = CommandLine.arguments.firstIndex(of: name), index + 1 < CommandLine.arguments.count else {
        return standard
    }
    return Double(CommandLine.arguments[index + 1]) ?? standard
}

func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

/// A mean with its standard error.
struct Mean {
    let value: Double
    let error: Double

    init(_ values: [Double]) {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
        (value, error) = (mean, (variance / count).squareRoot())
    }

    func text(_ digits: Int) -> String {
        String(format: "%.\(digits)f ± %.\(digits)f", value, error)
    }
}

let arguments = CommandLine.arguments.dropFirst().filter { !$0.hasPrefix("-") }
switch arguments.first {
case "rules": try RuleTables.print()
case "calls" where arguments.count > 1:
    let runs = try Runs(
        model: arguments[arguments.startIndex + 1], count: Int(option("--count", 24)), churn: option("--churn", 0.25))
    try runs.printCalls()
case "comb" where arguments.count > 1:
    let runs = try Runs(
        model: arguments[arguments.startIndex + 1], count: Int(option("--count", 24)), churn: option("--churn", 0.25))
    try runs.printCombs()
case "table" where arguments.count > 1:
    var table = try FieldTable(
        folder: arguments[arguments.startIndex + 1], share: min(1, max(0.01, option("--share", 1))))
    try table.make()
default:
    print("field rules | calls MODEL | comb MODEL  [--count N] [--churn ε] | table OUT_DIR [--share S]")
    exit(64)
}
