import Foundation

extension Double {
    /// With so many digits behind the point.
    public func formatted(digits: Int) -> String { String(format: "%.\(digits)f", self) }
}

extension Double? {
    /// For tables.
    public func formatted(digits: Int) -> String { map { $0.formatted(digits: digits) } ?? "unknown" }
}
