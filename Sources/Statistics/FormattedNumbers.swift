import Platform

extension Double {
    /// With so many digits behind the point; from 10¹⁵ on, where a number has no such digits, with a power of ten.
    public func formatted(digits: Int) -> String {
        let digits = Swift.max(0, digits)
        let format = magnitude < 1e15 ? "%.\(digits)f" : "%.6g"
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32 + digits) { buffer in
            let length = withVaList([self]) { vsnprintf(buffer.baseAddress, buffer.count, format, $0) }
            return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

extension Int {
    /// "1 sample", "2 samples".
    public func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}

extension Double? {
    /// For tables.
    public func formatted(digits: Int) -> String { map { $0.formatted(digits: digits) } ?? "unknown" }
}
