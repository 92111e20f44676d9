/// How one number of an observation or an action is mapped between the data's units and what the network sees:
/// normalised = (value - origin) / unit + offset.
public struct NumberScaling: Sendable, Equatable {
    let origin: Double
    let unit: Double
    let offset: Double
    /// The unit on the way back, which is another where a small number keeps the unit from being zero.
    let restoredUnit: Double

    init(origin: Double, unit: Double, offset: Double = 0, restoredUnit: Double? = nil) {
        (self.origin, self.unit, self.offset) = (origin, unit, offset)
        self.restoredUnit = restoredUnit ?? unit
    }

    /// The data's own units.
    static let identity = NumberScaling(origin: 0, unit: 1)

    /// Takes lowest … highest to -1 … 1.
    /// - Parameter leastRange: in place of a range of zero.
    static func range(_ lowest: Double, _ highest: Double, leastRange: Double) -> NumberScaling {
        let range = highest == lowest ? leastRange : highest - lowest
        return NumberScaling(origin: lowest, unit: range / 2, offset: -1)
    }

    func normalised(_ value: Double) -> Double { (value - origin) / unit + offset }
    func restored(_ value: Double) -> Double { (value - offset) * restoredUnit + origin }
}
