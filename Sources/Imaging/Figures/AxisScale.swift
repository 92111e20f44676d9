import Foundation

/// Values along a length, and round numbers among them.
struct AxisScale {
    let isLogarithmic: Bool
    /// At the start and the end of the length, on the scale that is even: values or their logarithms.
    private let low, high: Double
    /// In pixels.
    let start, end: Double
    private let names: [String]

    /// - Parameter values: finite.
    init(_ axis: Figure.Axis, values: [Double], from start: Double, to end: Double) {
        isLogarithmic = axis.isLogarithmic
        func even(_ value: Double) -> Double { axis.isLogarithmic ? log10(value) : value }
        var (low, high) = (0.0, 1.0)
        if let range = axis.range, range.upperBound > range.lowerBound, !axis.isLogarithmic || range.lowerBound > 0 {
            (low, high) = (even(range.lowerBound), even(range.upperBound))
        } else {
            let values = values.map(even).filter(\.isFinite)
            if let least = values.min(), let most = values.max() { (low, high) = (least, most) }
            let margin = high > low ? 0.04 * (high - low) : max(0.5, abs(high) * 0.05)
            (low, high) = (low - margin, high + margin)
        }
        // Numbers so large that their difference is not one are shown as if they were the same.
        if !(high - low).isFinite || high <= low { (low, high) = (-1, 1) }
        (self.low, self.high, names) = (low, high, axis.names)
        (self.start, self.end) = axis.isReversed ? (end, start) : (start, end)
    }

    private init(_ other: AxisScale, from start: Double, to end: Double) {
        (isLogarithmic, low, high, names) = (other.isLogarithmic, other.low, other.high, other.names)
        (self.start, self.end) = other.start <= other.end ? (start, end) : (end, start)
    }

    /// nil where there is no such place: 0 on a logarithmic axis.
    func pixel(_ value: Double) -> Double? {
        let even = isLogarithmic ? log10(value) : value
        let fraction = (even - low) / (high - low)
        guard fraction.isFinite else { return nil }
        // Far outside is outside: lines are cut at the border.
        return start + min(max(fraction, -50), 50) * (end - start)
    }

    func contains(_ value: Double) -> Bool {
        let even = isLogarithmic ? log10(value) : value
        let slack = 1e-9 * (high - low)
        return even >= low - slack && even <= high + slack
    }

    struct Tick {
        let value: Double
        let label: String
    }

    /// - Parameter count: about how many there is room for.
    func ticks(about count: Int) -> [Tick] {
        guard names.isEmpty else { return names.enumerated().map { Tick(value: Double($0), label: $1) } }
        let count = max(2, count)
        guard isLogarithmic else { return linearTicks(from: low, to: high, about: count) }
        let decades = Int(low.rounded(.down))...Int(high.rounded(.up))
        guard decades.count < 1000 else { return [] }
        // Every few decades, or within each as many digits as there is room for; and where even all digits are too few, equal distances.
        let stride = max(1, Int((Double(decades.count) / Double(count)).rounded(.up)))
        let digits: [[Double]] = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]
        let choices = digits.map { digits in
            decades.filter { $0 % stride == 0 }.flatMap { decade in
                digits.compactMap { digit in
                    let value = digit * pow(10, Double(decade))
                    return contains(value)
                        ? Tick(value: value, label: Self.label(value, digit: digit, decade: decade)) : nil
                }
            }
        }
        if let widest = choices.last(where: { $0.count <= count + 1 && $0.count >= 2 }) { return widest }
        return linearTicks(from: pow(10, low), to: pow(10, high), about: count).filter { $0.value > 0 }
    }

    private static func label(_ value: Double, digit: Double, decade: Int) -> String {
        guard !(-4...5).contains(decade) else { return grouped(String(format: "%g", value)) }
        let factor = digit == 1 ? "" : "\(Int(digit))·"
        return factor + "10" + superscript(decade)
    }

    private static func superscript(_ number: Int) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return (number < 0 ? "⁻" : "")
            + String(String(abs(number)).compactMap { $0.wholeNumberValue.map { digits[$0] } })
    }

    private func linearTicks(from low: Double, to high: Double, about count: Int) -> [Tick] {
        // 1, 2 or 5 times a power of ten.
        let rough = (high - low) / Double(count)
        let power = pow(10, floor(log10(rough)))
        let step = ([1, 2, 5].map { $0 * power }.first { $0 >= rough * 0.999 }) ?? 10 * power
        let (first, last) = ((low / step - 1e-9).rounded(.up), (high / step + 1e-9).rounded(.down))
        guard step > 0, step.isFinite, last - first < 100 else { return [] }
        return Swift.stride(from: first, through: last, by: 1).map {
            let value = $0 * step + 0  // + 0 makes 0 of -0
            return Tick(value: value, label: Self.label(value, step: step))
        }
    }

    private static func label(_ value: Double, step: Double) -> String {
        let digits = max(0, Int(-floor(log10(step) + 1e-9)))
        let text =
            value != 0 && abs(value) >= 1e6 || step < 1e-4
            ? String(format: "%.4g", value) : grouped(String(format: "%.\(digits)f", value))
        return text.replacingOccurrences(of: "-", with: "−")
    }

    /// 100,000 from 100000.
    private static func grouped(_ number: String) -> String {
        let (sign, rest) = number.hasPrefix("-") ? ("-", number.dropFirst()) : ("", number[...])
        guard rest.count > 4, rest.allSatisfy(\.isNumber) else { return number }
        let digits = Array(rest)
        return sign + digits.enumerated().map { $0 > 0 && (digits.count - $0) % 3 == 0 ? ",\($1)" : "\($1)" }.joined()
    }

    /// The same values along another length.
    func placed(from start: Double, to end: Double) -> AxisScale { AxisScale(self, from: start, to: end) }
}
