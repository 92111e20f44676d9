import Platform

extension Double {
    /// With so many digits behind the point.
    public func formatted(digits: Int) -> String {
        // The largest number has 309 digits before the point.
        let digits = Swift.max(0, digits)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 320 + digits) { buffer in
            let length = withVaList([self]) { vsnprintf(buffer.baseAddress, buffer.count, "%.\(digits)f", $0) }
            return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

extension Double? {
    /// For tables.
    public func formatted(digits: Int) -> String { map { $0.formatted(digits: digits) } ?? "unknown" }
}
