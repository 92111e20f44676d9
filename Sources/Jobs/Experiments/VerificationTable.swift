import Foundation
import Verification

/// The findings of the suite for people.
struct VerificationTable {
    let findings: [Finding]
    let level: Double

    var text: String {
        var lines: [String] = []
        for group in Check.Group.allCases {
            let members = findings.filter { $0.group == group }
            guard !members.isEmpty else { continue }
            if !lines.isEmpty { lines.append("") }
            lines.append(title(of: group))
            lines += members.map(line)
        }
        lines += ["", summary]
        return lines.joined(separator: "\n")
    }

    private func title(of group: Check.Group) -> String {
        switch group {
        case .marginal: "A verified step is N(m^q, s² I)"
        case .meeting: "Drafts are accepted with probability 2Φ(-‖Δ‖/2)"
        case .speculation: "Speculative samples have the law of plain ones"
        case .finite: "A token has the target's law, and drafts are taken as often as said"
        case .control:
            "Controls: wrong on purpose, must be rejected at p < \(Self.pValue(VerificationSuite.controlLevel))"
        }
    }

    private func line(_ finding: Finding) -> String {
        let padding = String(repeating: " ", count: max(1, 58 - finding.name.count))
        let test = finding.test + String(repeating: " ", count: max(0, 13 - finding.test.count))
        let size = String(finding.samples)
        let adjusted = finding.adjustedPValue.map { "  adjusted \(Self.pValue($0))" } ?? ""
        return
            "  \(finding.hasPassed ? "ok  " : "FAIL")  \(finding.name)\(padding)\(test)  n = \(size)  p = \(Self.pValue(finding.pValue))\(adjusted)"
    }

    private var summary: String {
        let held = findings.filter { $0.group != .control }
        let controls = findings.filter { $0.group == .control }
        let smallest = held.compactMap(\.adjustedPValue).min() ?? 1
        return """
            \(held.count { $0.hasPassed }) of \(held.count) exact configurations hold at the family-wise level \(level) (Holm; \
            smallest adjusted p \(Self.pValue(smallest))); \(controls.count { $0.hasPassed }) of \(controls.count) controls rejected
            """
    }

    static func pValue(_ value: Double) -> String {
        if value == 0 { return "< 1e-300" }
        return value < 0.001 ? String(format: "%.1e", value) : String(format: "%.3f", value)
    }
}
