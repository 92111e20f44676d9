/// Arithmetic on states. A state is a plain `[Double]`: the loop's vectors are short beside a network call, and an
/// ordinary value type keeps the algorithms free of pointers.
package enum Vector {
    /// `a x + b y`, both vectors of the same length.
    package static func combine(_ a: Double, _ x: [Double], _ b: Double, _ y: [Double]) -> [Double] {
        precondition(x.count == y.count, "vectors of different lengths")
        return [Double](unsafeUninitializedCapacity: x.count) { result, count in
            x.withUnsafeBufferPointer { x in
                y.withUnsafeBufferPointer { y in
                    for i in 0..<x.count { result.initializeElement(at: i, to: a * x[i] + b * y[i]) }
                }
            }
            count = x.count
        }
    }

    package static func dot(_ x: [Double], _ y: [Double]) -> Double {
        precondition(x.count == y.count, "vectors of different lengths")
        var sum = 0.0
        for i in x.indices { sum += x[i] * y[i] }
        return sum
    }

    package static func squaredNorm(_ x: [Double]) -> Double { dot(x, x) }
}
